"""Distances, by the angle between two directions from the centre of the Earth."""

from __future__ import annotations

from decimal import Decimal
from math import atan2, cos, hypot, radians, sin
from typing import TYPE_CHECKING

from audiencehub.rules.language.form import Near
from audiencehub.rules.plain.clause import Clause

if TYPE_CHECKING:
    from audiencehub.rules.evaluate import Evaluation

RADIUS = 6_371_008.8


def judge(node: Near, at: Evaluation) -> Clause:
    """The verdict, with the distance in kilometres, to the metre; None is unknown."""
    profile = at.profile
    record = (profile.account if node.scope == "account" else profile.contact) or {}
    latitude, longitude = record.get("latitude"), record.get("longitude")
    value = None
    if latitude is not None and longitude is not None:
        there = (float(latitude), float(longitude))
        if abs(there[0]) <= 90 and abs(there[1]) <= 180:
            here = (float(node.latitude), float(node.longitude))
            value = Decimal(round(metres(here, there))) / 1000
    return Clause(node, at.judge.tests(node.tests, value, "decimal"), value)


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Along the great circle between two (latitude, longitude) in degrees."""
    (x, y, z), (u, v, w) = _direction(*one), _direction(*other)
    across = hypot(y * w - z * v, z * u - x * w, x * v - y * u)
    return RADIUS * atan2(across, x * u + y * v + z * w)


def _direction(latitude: float, longitude: float) -> tuple[float, float, float]:
    up, round_ = radians(latitude), radians(longitude)
    return cos(up) * cos(round_), cos(up) * sin(round_), sin(up)
