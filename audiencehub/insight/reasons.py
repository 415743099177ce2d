"""Why people entered or left: the deciding facts as one short line, for the log and the CRM."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from audiencehub.insight.people import Connection, load_profiles
from audiencehub.model import Entity
from audiencehub.rules import RuleBook, explain, facts

BATCH = 2_000
"""Profiles held in memory at a time."""
LONGEST = 240
GONE = "no longer exists at its source"


def reasons(
    connection: Connection,
    book: RuleBook,
    entity: Entity,
    asked: Mapping[str, set[int]],
    members: Mapping[Entity, Mapping[int, frozenset[str]]],
    clock: datetime,
    *,
    entered: bool,
) -> dict[tuple[str, int], str]:
    """(segment, id) to its line: what made the rule true, or what no longer does."""
    numbers = sorted({number for ids in asked.values() for number in ids})
    lines: dict[tuple[str, int], str] = {}
    for start in range(0, len(numbers), BATCH):
        part = set(numbers[start : start + BATCH])
        rules = [book.segments[name] for name in asked]
        profiles = load_profiles(connection, entity, part, members, rules)
        for name, ids in asked.items():
            for number in ids & part:
                profile = profiles.get(number)
                if profile is None:
                    text = GONE
                elif entered:
                    found = facts(
                        book.segments[name], profile, clock, book.zone, catalog=book.catalog
                    )
                    text = "; ".join(found)
                else:
                    (told,) = explain(book, profile, clock, [name])
                    text = "no longer: " + "; ".join(told.flip)
                lines[name, number] = text[:LONGEST]
    return lines
