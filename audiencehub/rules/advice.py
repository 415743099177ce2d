"""Advice about rules that are valid: what a careful colleague would say."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from audiencehub.errors import Fault
from audiencehub.rules.book import RuleBook, Segment
from audiencehub.rules.language.catalog import Catalog
from audiencehub.rules.language.form import (
    All,
    Any_,
    MatchAll,
    Node,
    Not,
    Tests,
)
from audiencehub.rules.named import Named, named, unused
from audiencehub.rules.normal import normal

_LOWER = frozenset({"slug", "technology", "industry", "topic"})
MOST_PER_PURPOSE = 8


def advise(
    book: RuleBook,
    today: date,
    destinations: Collection[str] | None = None,
    catalog: Catalog | None = None,
) -> list[Fault]:
    """Warnings, sorted by place. `destinations` are the names of the settings, when known."""
    found: list[Fault] = []
    catalog = catalog or book.catalog
    for segment in book.segments.values():
        found += _purpose(segment, today)
        found += _examples(segment)
        if _broad(segment.when) and not segment.ladder:
            message = f"{segment.id} takes in nearly everyone"
            hint = "Add a condition that must be true of a member"
            found.append(Fault(segment.path, segment.when.line, message, hint))
        fields = named(segment.when, book)
        found += _lower(segment, fields, catalog)
        if any(one.kind == "list" for one in segment.activate):
            found += _sensitive(segment, fields, catalog)
        if destinations is not None:
            found += _destinations(segment, destinations)
    # Rungs of one ladder share goal, path and faults: each is said once.
    return sorted({*found, *_twins(book), *_crowds(book), *_traits(book)})


def _purpose(segment: Segment, today: date) -> Iterator[Fault]:
    where, name = (segment.path, segment.line), segment.id
    for key in ("goal", "action", "owner"):
        if not getattr(segment, key):
            yield Fault(*where, f"{name} has no {key}", f"Add {key}: so that someone acts")
    if segment.review_by is None:
        yield Fault(*where, f"{name} has no review_by", "Add review_by: a day to look again")
    elif segment.review_by < today:
        message = f"{name} was to be reviewed by {segment.review_by}"
        yield Fault(*where, message, "Look at it again, or retire it")
    if not segment.activate:
        yield Fault(*where, f"{name} goes nowhere", "Add activate: a destination")


def _examples(segment: Segment) -> Iterator[Fault]:
    kinds = {one.member for one in segment.examples}
    where = (segment.path, segment.line)
    if segment.ladder and True not in kinds:
        message = f"no example is on {segment.id}"
        yield Fault(*where, message, f"Add an example with rung: {segment.id.partition('.')[2]}")
    elif not segment.ladder and kinds != {True, False}:
        yield Fault(
            *where,
            f"{segment.id} has no example of each kind",
            "Add examples: one with member: true and one with member: false",
        )


def _broad(node: Node) -> bool:
    """Nothing that a member must have: everyone, a bare `not`, or an `any` with such a part."""
    if isinstance(node, All):
        return all(_broad(part) for part in node.parts)
    if isinstance(node, Any_):
        return any(_broad(part) for part in node.parts)
    return isinstance(node, Not | MatchAll)


def _sensitive(segment: Segment, fields: Collection[Named], catalog: Catalog) -> Iterator[Fault]:
    """Whoever chooses who sees an ad by such a field tells the platform what it is."""
    for one in fields:
        field = catalog.field(one.table, one.field) if one.table in catalog.tables else None
        if field is not None and field.privacy == "sensitive":
            via = f" (through {one.via})" if one.via else ""
            message = f"{one.table}.{one.field} is sensitive and the segment goes to a list{via}"
            yield Fault(segment.path, one.line, message, "Leave it out of segments for ads")


def _lower(segment: Segment, fields: Collection[Named], catalog: Catalog) -> Iterator[Fault]:
    for one in fields:
        field = catalog.field(one.table, one.field) if one.table in catalog.tables else None
        if field is None or field.clean not in _LOWER or one.tests is None or one.via:
            continue
        for word in _literals(one.tests):
            if word != word.lower():
                message = f"{one.field} is kept in lower case; {word!r} is never equal to it"
                yield Fault(segment.path, one.line, message, f"Write {word.lower()}")


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
    for segment in book.segments.values():
        meaning = f"{segment.of}|{normal(segment.when)}"
        if meaning in seen:
            message = f"{segment.id} has the same condition as {seen[meaning]}"
            yield Fault(segment.path, segment.when.line, message, "Retire one of the two")
        seen.setdefault(meaning, segment.id)


def _crowds(book: RuleBook) -> Iterator[Fault]:
    """The rungs of a ladder divide one purpose by design; they count once."""
    purposes: dict[str, set[str]] = {}
    for segment in book.segments.values():
        purpose = " ".join(segment.goal.casefold().split())
        known = purposes.setdefault(purpose, set())
        own = segment.ladder or segment.id
        if purpose and own not in known and len(known) == MOST_PER_PURPOSE:
            message = f"more than {MOST_PER_PURPOSE} segments share the goal {segment.goal!r}"
            yield Fault(segment.path, segment.line, message, "Merge some of them")
        known.add(own)


def _traits(book: RuleBook) -> Iterator[Fault]:
    for trait in unused(book):
        message = f"no rule and no other trait reads trait.{trait.id}"
        yield Fault(trait.path, trait.line, message, "Use it in a rule, or remove the file")
