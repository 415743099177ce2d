"""The traits of one profile in plain Python, each with how it came about.

Shares nothing with `compile`. What compares people with each other (percentiles, quintiles) reads
the bounds of the profile's world from `Profile.thresholds`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.evaluate import Evaluation
from audiencehub.rules.language.form import DAY, Aggregate, Check, FieldTest, Tests
from audiencehub.rules.language.profile import Profile
from audiencehub.rules.language.trait import (
    Band,
    Cell,
    Column,
    Measure,
    Points,
    Quantile,
    Ratio,
    Score,
    Term,
    Trait,
    cell_of,
    levels,
)
from audiencehub.rules.plain import facts

_MILLIONTH = Decimal("0.000001")
_EVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Traced:
    """A value, and what it was computed from."""

    value: Any
    reads: tuple[tuple[str, Any], ...] = ()
    """Name and value of each thing it was computed from; of points, the place of each part that
    holds and what it is worth."""
    kept: int = 0
    """How many rows were kept."""


def entity_of(profile: Profile) -> str:
    """Whose profile it is."""
    return "account" if profile.contact is None else "contact"


def trace(
    traits: Mapping[str, Trait], profile: Profile, clock: datetime, zone: ZoneInfo
) -> dict[str, Traced]:
    """Every column of the profile's own entity. What `profile.traits` gives is taken as given;
    the traits of a contact's account are only ever given."""
    found: dict[str, Traced] = {}
    known = dict(profile.traits)
    for stage in levels(traits):
        for column in stage:
            if column.of != entity_of(profile):
                continue
            at = Evaluation(replace(profile, traits=known), clock, zone)
            traced = computed(column, at)
            if column.name in profile.traits:
                traced = replace(traced, value=profile.traits[column.name])
            found[column.name] = traced
            known[column.name] = traced.value
    return found


def complete(
    traits: Mapping[str, Trait], profile: Profile, clock: datetime, zone: ZoneInfo
) -> Profile:
    """The profile with all traits that can be computed of it."""
    if not traits:
        return profile
    traced = trace(traits, profile, clock, zone)
    own = {name: one.value for name, one in traced.items()}
    return replace(profile, traits={**own, **profile.traits})


def computed(column: Column, at: Evaluation) -> Traced:
    """One column, from the facts, fields and earlier traits of the profile."""
    body = column.body
    if isinstance(body, Quantile):
        return _quantile(column.name, body, at)
    return _COMPUTE[type(body)](body, at)


def _ratio(body: Ratio, at: Evaluation) -> Traced:
    part, whole = _exact(body.part, at), _exact(body.whole, at)
    value = None if part is None or not whole else _cut(part, whole)
    return Traced(value, ((name_of(body.part), part), (name_of(body.whole), whole)))


def _points(body: Points, at: Evaluation) -> Traced:
    held = [
        (str(place), points)
        for place, (condition, points) in enumerate(body.parts)
        if at.node(condition).verdict
    ]
    return Traced(sum(points for _, points in held), tuple(held))


def _cell(body: Cell, at: Evaluation) -> Traced:
    three = (body.recency, body.frequency, body.monetary)
    parts = tuple((one.field, _source(one, at)) for one in three)
    scores = [value for _, value in parts]
    return Traced(None if None in scores else cell_of(*scores), parts)


def name_of(term: Term) -> str:
    """A term as it is written."""
    if isinstance(term, FieldTest):
        return f"trait.{term.field}" if term.trait else f"{term.scope}.{term.field}"
    of = term.rows.aggregate.of
    return f"{term.how}{f' of {of}' if of else ''} over {term.rows.table}"


def _source(term: FieldTest, at: Evaluation) -> Any:
    profile = at.profile
    if term.trait:
        return profile.traits.get(term.field)
    record = profile.account if term.scope == "account" else profile.contact
    return None if record is None else record.get(term.field)


def _exact(term: Term, at: Evaluation) -> Decimal | None:
    """A number as a decimal; of doubles what six decimals hold."""
    if isinstance(term, Measure):
        value, kind = _measure(term, at).value, term.rows.aggregate.of_type
    else:
        value, kind = _source(term, at), term.type
    if value is None:
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if kind != "number" or not isinstance(value, float):
        return number
    if not number.is_finite() or abs(number) >= Decimal(10) ** 22:
        return None
    return number.quantize(_MILLIONTH)


def _cut(part: Decimal, whole: Decimal) -> Decimal:
    """The quotient, cut off toward nought after six decimals."""
    high, low = int(part * 10**6), int(whole * 10**6)
    size = abs(high) * 10**6 // abs(low)
    return Decimal(size if (high < 0) == (low < 0) else -size) * _MILLIONTH


def _measure(measure: Measure, at: Evaluation) -> Traced:
    rows, how = measure.rows, measure.how
    if rows.table in at.profile.unfilled:
        return Traced(None)
    kept = facts.rows_of(at, rows.owner, rows.table, rows.where, rows.window)
    of, of_type = rows.aggregate.of, rows.aggregate.of_type
    if how == "most_frequent":
        value = _most_frequent(kept, rows.table, of, at)
    elif how.startswith("days_since_"):
        days = [facts.date_of(at, rows.table, row) for row in kept]
        dated = [at.judge.day(one) for one in days if one is not None]
        end = min if how == "days_since_first" else max
        value = (at.today - end(dated)).days if dated else None
    else:
        aggregate = Aggregate(how, of, of_type, of_type, Tests(()))  # type: ignore[arg-type]
        value, _ = facts.together(at, rows.table, aggregate, kept)
        if how == "average" and value is not None:
            value = value.quantize(_MILLIONTH, ROUND_DOWN)
    word = name_of(measure) if of != DAY else f"days over {rows.table}"
    return Traced(value, ((word, value),), len(kept))


def _most_frequent(rows: Iterable[Any], table: str, of: str, at: Evaluation) -> Any:
    """The value of most rows; of those equally frequent the latest, then the greatest."""
    found: dict[Any, list[Any]] = {}
    for row in rows:
        if row.get(of) is not None:
            moment = facts.moment_of(table, row, at.zone) or _EVER
            found.setdefault(facts.sortable(row[of]), []).append(moment)
    ranked = [(len(moments), max(moments), value) for value, moments in found.items()]
    return max(ranked)[2] if ranked else None


def _band(body: Band, at: Evaluation) -> Traced:
    value = _exact(body.of, at)
    reads = ((name_of(body.of), value),)
    if value is None:
        return Traced(None, reads)
    fits = (name for name, bound in body.bands if bound is None or value < bound)
    return Traced(next(fits, None), reads)


def group_of(body: Quantile, at: Evaluation) -> str | None:
    """The group that the profile is compared within; empty without groups, None for none."""
    if body.within is None:
        return ""
    value = _source(body.within, at)
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def measured(body: Quantile, at: Evaluation) -> Decimal | None:
    """The value that takes part in the comparison; None for who takes no part."""
    if body.given is not None and _source(body.given, at) is None:
        return None
    return None if group_of(body, at) is None else _exact(body.of, at)


def bounds_key(name: str, group: str) -> str:
    """The key of `Profile.thresholds`."""
    return f"{name}|{group}" if group else name


def _quantile(name: str, body: Quantile, at: Evaluation) -> Traced:
    group, value = group_of(body, at), measured(body, at)
    reads = ((name_of(body.of), value),)
    bounds = at.profile.thresholds.get(bounds_key(name, group or ""))
    if value is None or bounds is None:
        return Traced(None, reads)
    beyond = [one for one in bounds if (one > value if body.falling else one < value)]
    return Traced(1 + len(beyond), reads)


def _score(body: Score, at: Evaluation) -> Traced:
    window = Tests((Check("within", body.within),)) if body.within else None
    found = []
    for row in at.profile.rows.get("model_score", ()):
        moment = facts.utc(row["at"])
        fresh = window is None or at.judge.tests(window, moment, "instant")
        mine = row["model"] == body.model and row["entity"] == entity_of(at.profile)
        if mine and fresh and moment <= at.clock and row["value"] is not None:
            found.append((moment, row["value"]))
    if not found:
        return Traced(None)
    moment, value = max(found)
    return Traced(Decimal(repr(value)).quantize(_MILLIONTH), (("scored at", moment),), len(found))


_COMPUTE: dict[type, Callable[[Any, Evaluation], Traced]] = {
    Measure: _measure,
    Ratio: _ratio,
    Band: _band,
    Points: _points,
    Cell: _cell,
    Score: _score,
}
"""How each kind of body is computed, but for what compares people with each other."""
