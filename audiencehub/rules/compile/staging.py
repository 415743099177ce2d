"""Which rules are projected together.

A reference to a segment is answered by that segment's own condition, in the same projection. Only
where who is a member is not who matches does a rule wait for the stage before.
"""

from __future__ import annotations

from audiencehub.rules.book import RuleBook, Segment
from audiencehub.rules.language.form import Contacts, deep, walk

LARGE = 200
"""Conditions of so many nodes are not written out again in whoever refers to them."""


def stages(book: RuleBook) -> tuple[tuple[str, ...], ...]:
    """Segment ids in stages: those of a stage wait for none of their own stage."""
    level: dict[str, int] = {}
    size: dict[str, int] = {}
    for name in (name for names in book.order() for name in names):
        one = book.segments[name]
        waits = {need for need in one.needs if _settled(book.segments[need], size[need])}
        level[name] = max((level[need] + (need in waits) for need in one.needs), default=0)
        size[name] = sum(1 for _ in deep(one.when)) + sum(
            size[need] for need in one.needs if need not in waits
        )
    return tuple(
        tuple(name for name in book.segments if level[name] == number)
        for number in range(max(level.values(), default=-1) + 1)
    )


def _settled(one: Segment, size: int) -> bool:
    """Whether referring to a segment waits for its members."""
    counts_people = any(isinstance(node, Contacts) for node in walk(one.when))
    return one.stay is not None or counts_people or size > LARGE
