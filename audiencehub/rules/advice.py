"""Advice about rules that are valid: what a careful colleague would say."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from audiencehub.errors import Fault
from audiencehub.rules.book import RuleBook, Segment
from audiencehub.rules.language.catalog import CATALOG, Catalog
from audiencehub.rules.language.form import (
    All,
    Any_,
    FieldTest,
    MatchAll,
    Node,
    Not,
    Rows,
    Tests,
    said,
    walk,
)

_LOWER = frozenset({"slug", "technology", "industry", "topic"})
MOST_PER_PURPOSE = 8


def advise(
    book: RuleBook,
    today: date,
    destinations: Collection[str] | None = None,
    catalog: Catalog = CATALOG,
) -> list[Fault]:
    """Warnings, sorted by place. `destinations` are the names of the settings, when known."""
    found: list[Fault] = []
    for segment in book.segments.values():
        found += _purpose(segment, today)
        found += _condition(segment, catalog)
        if destinations is not None:
            found += _destinations(segment, destinations)
    return sorted([*found, *_twins(book)])


def _purpose(segment: Segment, today: date) -> Iterator[Fault]:
    where = (segment.path, segment.line)
    for name in ("goal", "action", "owner"):
        if not getattr(segment, name):
            yield Fault(*where, f"{segment.id} has no {name}", f"Add {name}: so that someone acts")
    if segment.review_by is None:
        yield Fault(*where, f"{segment.id} has no review_by", "Add review_by: a day to look again")
    elif segment.review_by < today:
        message = f"{segment.id} was to be reviewed by {segment.review_by}"
        yield Fault(*where, message, "Look at it again, or retire it")
    if not segment.activate:
        yield Fault(*where, f"{segment.id} goes nowhere", "Add activate: a destination")
    kinds = {one.member for one in segment.examples}
    if kinds != {True, False}:
        yield Fault(
            *where,
            f"{segment.id} has no example of each kind",
            "Add examples: one with member: true and one with member: false",
        )


def _condition(segment: Segment, catalog: Catalog) -> Iterator[Fault]:
    if _broad(segment.when):
        yield Fault(
            segment.path,
            segment.when.line,
            f"{segment.id} takes in nearly everyone",
            "Add a condition that must be true of a member",
        )
    ads = any(one.kind == "list" for one in segment.activate)
    for test in _field_tests(segment.when):
        field = catalog.field(test.scope, test.field)
        if field is None:
            continue
        if ads and field.privacy == "sensitive":
            message = f"{test.scope}.{test.field} is sensitive and the segment goes to a list"
            yield Fault(segment.path, test.line, message, "Leave it out of segments for ads")
        if field.clean in _LOWER:
            for word in _literals(test.tests):
                if word != word.lower():
                    message = f"{test.field} is kept in lower case; {word!r} is never equal to it"
                    yield Fault(segment.path, test.line, message, f"Write {word.lower()}")


def _broad(node: Node) -> bool:
    """Nothing that a member must have: everyone, a bare `not`, or an `any` with such a part."""
    if isinstance(node, All):
        return all(_broad(part) for part in node.parts)
    if isinstance(node, Any_):
        return any(_broad(part) for part in node.parts)
    return isinstance(node, Not | MatchAll)


def _field_tests(node: Node) -> Iterator[FieldTest]:
    for one in walk(node):
        if isinstance(one, FieldTest):
            yield one
        elif isinstance(one, Rows) and one.where is not None:
            yield from _field_tests(one.where)


def _literals(tests: Tests) -> Iterator[str]:
    for check in tests.checks:
        if check.op in ("is", "is_not", "any_of", "none_of"):
            many = check.value if isinstance(check.value, tuple) else (check.value,)
            yield from (one for one in many if isinstance(one, str))


def _destinations(segment: Segment, known: Collection[str]) -> Iterator[Fault]:
    for one in segment.activate:
        if one.to not in known:
            yield Fault(
                segment.path,
                one.line,
                f"{segment.id} goes to {one.to}, which is not set up here",
                f"Add [destinations.{one.to}] to the settings of this environment",
            )


def _twins(book: RuleBook) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    purposes: dict[str, int] = {}
    for segment in book.segments.values():
        meaning = f"{segment.of}|{said(segment.when)}"
        if meaning in seen:
            message = f"{segment.id} has the same condition as {seen[meaning]}"
            yield Fault(segment.path, segment.when.line, message, "Retire one of the two")
        seen.setdefault(meaning, segment.id)
        purposes[segment.goal] = purposes.get(segment.goal, 0) + 1
        if segment.goal and purposes[segment.goal] == MOST_PER_PURPOSE + 1:
            message = f"more than {MOST_PER_PURPOSE} segments share the goal {segment.goal!r}"
            yield Fault(segment.path, segment.line, message, "Merge some of them")
