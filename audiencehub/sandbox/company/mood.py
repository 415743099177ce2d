"""How content people are: the hidden cause that tickets, surveys and contracts have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from audiencehub.sandbox.company.people import Person
from audiencehub.sandbox.company.records import WebEvent

Moods = Mapping[str, float]
"""Address to contentment, from 0 to 1; of everyone who has an address."""
_SILENT = timedelta(days=32)


def moods(
    rng: Random, people: Sequence[Person], events: Sequence[WebEvent], now: datetime
) -> Moods:
    """Customers who have stopped coming and people of companies that left are not content."""
    seen: dict[str, datetime] = {}
    for event in events:
        seen[event.email.lower()] = event.at  # oldest first
    found: dict[str, float] = {}
    for person in people:
        if person.email is None:
            continue
        mood = rng.gauss(0.7, 0.16)
        silent = now - seen.get(person.email.lower(), now - timedelta(days=999)) > _SILENT
        if person.is_customer and silent:
            mood -= 0.3
        if person.organization and person.organization.status == "churned":
            mood -= 0.35
        if person.energy > 4:
            mood += 0.08
        found[person.email] = min(1.0, max(0.0, mood))
    return found


def rating(rng: Random, mood: float, lowest: int, highest: int) -> int:
    """A score on that scale, the higher the more content."""
    exact = lowest + (highest - lowest) * (mood * 1.15 + rng.gauss(0, 0.1))
    return max(lowest, min(highest, round(exact)))
