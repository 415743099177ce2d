"""Distances along the great circle."""

from __future__ import annotations

from audiencehub.rules.language.form import Near
from audiencehub.rules.portable.query import Scope

_ACROSS = 2 * 6_371_008.8
"""Twice the mean radius of the Earth in metres."""


def near(node: Near, scope: Scope) -> str:
    """The tests on the distance in whole metres; impossible coordinates are unknown.

    Metres are whole because the last digits of sines differ between engines.
    """
    query = scope.query
    alias = scope.alias(node.scope)
    north, east = f"{alias}.latitude", f"{alias}.longitude"
    here, there = query.bind(float(node.latitude)), query.bind(float(node.longitude))
    rise = f"power(sin(radians({north} - {here}) / 2), 2)"
    turn = f"power(sin(radians({east} - {there}) / 2), 2)"
    share = f"{rise} + cos(radians({here})) * cos(radians({north})) * {turn}"
    # Rounding may lift the share of antipodes above one, and a root of less than nought fails.
    angle = f"atan2(sqrt({share}), sqrt(greatest(1 - ({share}), 0)))"
    known = f"{north} BETWEEN -90 AND 90 AND {east} BETWEEN -180 AND 180"
    metres = f"CASE WHEN {known} THEN CAST(round({_ACROSS} * {angle}) AS BIGINT) END"
    return query.verdicts.tests(node.tests, metres, "decimal", " * 1000")
