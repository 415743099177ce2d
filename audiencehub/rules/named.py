"""Which fields a condition names: itself, in `where`, through traits and through other segments."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from audiencehub.rules.book import RuleBook
from audiencehub.rules.language.form import FieldTest, Past, SegmentRef, Tests
from audiencehub.rules.language.trait import Trait


@dataclass(frozen=True, slots=True)
class Named:
    """One field, where the rule itself names it or what leads to it."""

    table: str
    field: str
    line: int
    """Of the rule at hand."""
    tests: Tests | None
    via: str = ""
    """`trait.<id>` or `segment <id>` that leads there; empty: the rule names it itself."""


def named(node: Any, book: RuleBook) -> list[Named]:
    """Every field that decides the condition, in the order it is written."""
    return list(dict.fromkeys(_named(node, book, 0, "", frozenset())))


def _named(node: Any, book: RuleBook, line: int, via: str, seen: frozenset[str]) -> Iterator[Named]:
    if isinstance(node, tuple):
        for one in node:
            yield from _named(one, book, line, via, seen)
        return
    if not dataclasses.is_dataclass(node):
        return
    line = line if via else getattr(node, "line", 0) or line
    if isinstance(node, FieldTest) and not node.trait:
        yield Named(node.scope, node.field, line, node.tests, via)
        return
    for name, parts in _led_to(node, book):
        if name not in seen:
            for part in parts:
                yield from _named(part, book, line, via or name, seen | {name})
    for one in dataclasses.fields(node):
        yield from _named(getattr(node, one.name), book, line, via, seen)


def _led_to(node: Any, book: RuleBook) -> Iterator[tuple[str, list[Any]]]:
    """The trait or the segment that a node refers to, and what that is made of."""
    if isinstance(node, FieldTest):
        columns = [one for trait in book.traits.values() for one in trait.columns]
        bodies = [one.body for one in columns if one.name == node.field]
        yield f"trait.{node.field}", bodies
    elif isinstance(node, SegmentRef | Past) and node.segment in book.segments:
        yield f"segment {node.segment}", [book.segments[node.segment].when]


def unused(book: RuleBook) -> list[Trait]:
    """The traits that nothing reads: no segment, rung, or other trait."""
    read: set[str] = set()
    for segment in book.segments.values():
        read |= set(_columns(segment.when))
    for trait in book.traits.values():
        for column in trait.columns:
            read |= set(_columns(column.body)) - {one.name for one in trait.columns}
    return [
        trait
        for trait in book.traits.values()
        if not any(column.name in read for column in trait.columns)
    ]


def _columns(node: Any) -> Iterator[str]:
    if isinstance(node, tuple):
        for one in node:
            yield from _columns(one)
    elif dataclasses.is_dataclass(node):
        if isinstance(node, FieldTest) and node.trait:
            yield node.field
        for one in dataclasses.fields(node):
            yield from _columns(getattr(node, one.name))
