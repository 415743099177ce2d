"""A company of a few people over three days, by seed, and what each place must hold of it."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, replace

PEOPLE, DAYS = 24, 3
Holding = dict[str, str]
"""What a place holds: key (a record, or the hash of an address) to value. Absent: nothing."""


@dataclass(frozen=True, slots=True)
class Day:
    """Who is in which segment, who said no to advertising, and everybody's address."""

    warm: frozenset[int]
    hot: frozenset[int]
    denied: frozenset[int]
    emails: tuple[str, ...]


def days(seed: int) -> tuple[Day, ...]:
    """The three days of a seed. Each differs from the one before in every way there is."""
    rng, everyone = random.Random(f"company {seed}"), range(PEOPLE)
    first = Day(
        frozenset(rng.sample(everyone, 16)),
        frozenset(rng.sample(everyone, 8)),
        frozenset(rng.sample(everyone, 2)),
        tuple(f"p{n}@acme.example" for n in everyone),
    )
    made = [first]
    while len(made) < DAYS:
        made.append(_next(made[-1], len(made) + 1, rng))
    return tuple(made)


def _next(day: Day, number: int, rng: random.Random) -> Day:
    """Eight enter or leave each segment, one withdraws, two have other addresses."""
    emails = list(day.emails)
    listed = sorted(day.warm - day.denied)
    for n in rng.sample(listed, 2):
        emails[n] = f"p{n}.{number}@acme.example"
    moved = [frozenset(rng.sample(range(PEOPLE), 8)) for _ in range(2)]
    return replace(
        day,
        warm=day.warm ^ moved[0],
        hot=day.hot ^ moved[1],
        denied=day.denied | {rng.choice(listed)},
        emails=tuple(emails),
    )


def tags(day: Day) -> dict[int, str]:
    """Person to tags, joined by semicolons; who has none is absent."""
    both = {"hot": day.hot, "warm": day.warm}
    found = {n: ";".join(name for name in both if n in both[name]) for n in range(PEOPLE)}
    return {n: value for n, value in found.items() if value}


def listed(day: Day) -> dict[int, str]:
    """Person to the address of that day, for who is in an audience of `warm`."""
    return {n: day.emails[n] for n in day.warm - day.denied}


def digest(email: str) -> str:
    """SHA-256 by hand: nothing of the product takes part in what is expected."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def moves(holdings: list[Holding]) -> Counter[str]:
    """How often each key changes when a place goes from nothing through these, one by one."""
    found: Counter[str] = Counter()
    for before, after in zip([{}, *holdings], holdings, strict=False):
        found.update(
            key for key in before.keys() | after.keys() if before.get(key) != after.get(key)
        )
    return found
