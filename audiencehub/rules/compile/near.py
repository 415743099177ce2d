"""SQL of distances along the great circle."""

from __future__ import annotations

from decimal import Decimal

from audiencehub.rules.compile.bind import Binder
from audiencehub.rules.compile.checks import tests_sql
from audiencehub.rules.language.form import Near

METRES = 6_371_008.8
"""The mean radius of the Earth."""
_BAND = 0.02
"""Degrees of latitude by which the band searched is wider than the distance."""


def near_sql(leaf: Near, bind: Binder) -> str:
    """True or false from the row `e`.

    By haversine, rounded to whole metres before it is compared: the last digits of sines differ
    between engines. Unknown and impossible coordinates fail. Rows outside the band of latitudes
    are never measured.
    """
    farthest = max(one.value for one in leaf.tests.checks if isinstance(one.value, Decimal))
    reach = float(farthest) * 1000 / METRES * 57.29577951308232 + _BAND
    low, high = bind(float(leaf.latitude) - reach), bind(float(leaf.latitude) + reach)
    own = '(e."latitude" BETWEEN -90 AND 90 AND e."longitude" BETWEEN -180 AND 180'
    own += f' AND e."latitude" BETWEEN {low} AND {high})'
    metres = f"CASE WHEN {own} THEN {_metres(leaf, bind)} END"
    return tests_sql(leaf.tests, f"({metres})", "decimal", bind, " * 1000")


def _metres(leaf: Near, bind: Binder) -> str:
    latitude, longitude = bind(float(leaf.latitude)), bind(float(leaf.longitude))
    north = f'pow(sin(radians(e."latitude" - {latitude}) / 2), 2)'
    east = f'pow(sin(radians(e."longitude" - {longitude}) / 2), 2)'
    wide = f'cos(radians({latitude})) * cos(radians(e."latitude"))'
    share = f"least(1.0, sqrt({north} + {wide} * {east}))"
    return f"CAST(round(2 * {METRES} * asin({share})) AS BIGINT)"
