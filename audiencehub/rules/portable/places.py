"""Distances along the great circle."""

from __future__ import annotations

from audiencehub.rules.language.form import Near
from audiencehub.rules.portable.query import ALIAS, Scope, selected
from audiencehub.rules.portable.text import clauses, nested, where

_ACROSS = 2 * 6_371_008.8
"""Twice the mean radius of the Earth in metres."""


def near(node: Near, scope: Scope) -> str:
    """The tests on the distance in whole metres; impossible coordinates are unknown.

    Metres are whole because the last digits of sines differ between engines.
    """
    query, every = scope.query, Scope(scope.query, node.scope)
    alias = ALIAS[node.scope]
    north, east = f"{alias}.latitude", f"{alias}.longitude"
    here, there = query.bind(float(node.latitude)), query.bind(float(node.longitude))
    rise = f"power(sin(radians({north} - {here}) / 2), 2)"
    turn = f"power(sin(radians({east} - {there}) / 2), 2)"
    share = f"{rise} + cos(radians({here})) * cos(radians({north})) * {turn} AS share"
    known = [f"{north} BETWEEN -90 AND 90", f"{east} BETWEEN -180 AND 180"]
    shares = clauses(selected([f"{every.id} AS owner_id", share]), every.source(), where(known))
    # Rounding may lift the share of antipodes above one, and a root of less than nought fails.
    angle = "atan2(sqrt(share), sqrt(greatest(1 - share, 0)))"
    metres = f"CAST(round({_ACROSS} * {angle}) AS BIGINT) AS metres"
    found = clauses(selected(["owner_id", metres]), f"FROM {nested(shares)} AS haversine")
    distance = f"{scope.joined(query.sub('distance', found), node.scope)}.metres"
    return query.verdicts.tests(node.tests, distance, "decimal", " * 1000")
