"""What goes wrong on the way, by seed: the same call of the same run always meets the same."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

LOCKED, LATE, RESET = 0.08, 0.15, 0.10
"""Shares of rows locked, of calls applied whose answer is lost, of calls that never arrive."""


@dataclass(frozen=True, slots=True)
class Weather:
    """The fate of one call."""

    reset: bool
    late: bool
    locked: frozenset[str]


def weather(seed: int, call: int, keys: Iterable[str]) -> Weather:
    """The fate of the n-th call of a run, which carries these keys."""
    rng = random.Random(f"storm {seed} {call}")
    drawn = rng.random()
    locked = frozenset(key for key in sorted(keys) if rng.random() < LOCKED)
    return Weather(drawn < RESET, RESET <= drawn < RESET + LATE, locked)
