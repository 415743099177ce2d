"""Intent with decay: `intent: {topic: …, strength: {at_least: 50}, half_life: 14 days}`."""

from __future__ import annotations

from collections.abc import Mapping

from audiencehub.model import Entity
from audiencehub.rules.language.form import Node, Strength, Tests
from audiencehub.rules.load.checks import read_tests
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.literals import span
from audiencehub.rules.load.tree import Scalar, Tree

KEYS = ("strength", "half_life")
LONGEST = 366
_DAYS = {"day": 1, "week": 7}


def read_strength(
    desk: Desk,
    owner: Entity,
    key: Scalar,
    decay: Mapping[str, Tree],
    where: Node | None,
    window: Tests | None,
) -> Strength | None:
    """The leaf, or None and faults."""
    asked, half = decay.get("strength"), decay.get("half_life")
    if asked is None:
        hint = "Add strength: {at_least: 50}, or remove half_life"
        desk.fault(key, "half_life without strength decays nothing", hint)
        return None
    if half is None:
        desk.fault(key, "strength says not how it fades", "Add half_life: 14 days")
        return None
    tests = read_tests(desk, asked, "decimal", "strength")
    days = _half_life(desk, half)
    if tests is None or days is None:
        return None
    return Strength(owner, where, window, days, tests, key.line)


def _half_life(desk: Desk, node: Tree) -> int | None:
    found = span(desk, node)
    if found is None:
        return None
    days = found.count * _DAYS.get(found.unit, 0)
    if not 0 < days <= LONGEST:
        message = f"half_life: {found} is no number of days up to {LONGEST}"
        desk.fault(node, message, "Use days or weeks, for example: 14 days")
        return None
    return days
