"""What moves with time: a trend between two windows, and intent that fades."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from zoneinfo import ZoneInfo

from audiencehub.rules.language.form import Strength, Tests, Trend
from audiencehub.rules.portable import facts
from audiencehub.rules.portable.query import Query, Scope, selected
from audiencehub.rules.portable.text import clauses, inner, negated, where
from audiencehub.rules.portable.values import TODAY

_LARGEST = "1e12"
"""Numbers from here on are unknown here, so that products stay within a decimal."""
_MILLIONTH = Decimal("0.000001")


def trend(node: Trend, scope: Scope) -> str:
    """The change of the last window against the one before it, as a share of the latter."""
    query = scope.query
    if node.table in query.unfilled:
        return query.verdicts.unknown(node.tests)
    alias = scope.joined(query.sub(node.table, _windows(node, query)), node.owner)
    recent, before = f"coalesce({alias}.recent, 0)", f"{alias}.before"
    if node.how == "average":
        # Two quotients are compared by multiplying out.
        recent, before = f"{alias}.recent * {alias}.known_before", f"{before} * {alias}.known"
    # (recent - before) / before against a share, multiplied by what may not be nought.
    change = f"CASE WHEN {before} <> 0 THEN ({recent} - {before}) * sign({before}) END"
    return query.verdicts.tests(node.tests, change, "decimal", f" * abs({before})")


def _windows(node: Trend, query: Query) -> str:
    """SELECT owner_id and the aggregate in either window."""
    owner, source = facts.owned(query, node.table, node.owner)
    moment, kind = facts.dated(query, node.table), facts.date_type(query, node.table)
    late = inner(query.verdicts.tests(Tests((node.last,)), moment, kind))
    column = "1" if node.how == "count" else facts.value_of(query, node.table, node.of)
    if node.of_type == "number":
        column = query.dialect.exact(column, _LARGEST)
    how = {"count": "count({})", "distinct": "count(DISTINCT {})"}.get(node.how, "sum({})")
    recent, before = (f"CASE WHEN {one} THEN {column} END" for one in (late, negated(late)))
    values = [f"{how.format(recent)} AS recent", f"{how.format(before)} AS before"]
    if node.how == "average":
        values += [f"count({recent}) AS known", f"count({before}) AS known_before"]
    return clauses(
        selected([f"{owner} AS owner_id", *values]),
        source,
        where([f"{owner} IS NOT NULL", *facts.kept(query, node.table, node.where, node.window)]),
        f"GROUP BY {owner}",
    )


@dataclass(frozen=True, slots=True)
class Fading:
    """What is left of a signal after 0, 1, 2, … days, to six decimals; nought from the end on."""

    half_life: int

    @property
    def name(self) -> str:
        """What the SQL calls it."""
        return f"left_with_half_life_{self.half_life}"

    def at(self, clock: datetime, zone: ZoneInfo) -> list[Decimal]:  # noqa: ARG002 - as every When
        """The shares, falling to nought."""
        return self.shares()

    def shares(self) -> list[Decimal]:
        """The same at any clock. A power is taken here once, since engines round theirs apart."""
        found: list[Decimal] = []
        with localcontext() as context:
            context.prec = 50
            while not found or found[-1]:
                whole, part = divmod(len(found), self.half_life)
                share = Decimal(2) ** (-Decimal(part) / self.half_life) / 2**whole
                found.append(share.quantize(_MILLIONTH, ROUND_HALF_UP))
        return found


def strength(node: Strength, scope: Scope) -> str:
    """The strongest signal of an account, each halved for every half-life of its age."""
    query = scope.query
    if node.table in query.unfilled:
        return query.verdicts.unknown(node.tests)
    owner, source = facts.owned(query, node.table, node.owner)
    fading = Fading(node.half_life)
    age = f"{query.bind(TODAY)} - {facts.dated(query, node.table)}"
    place = f"least({age}, {query.bind(len(fading.shares()) - 1)}) + 1"
    left = query.dialect.element(query.bind(fading), place)
    score = query.dialect.exact(query.column("r", "score"), _LARGEST)
    kept = facts.kept(query, node.table, node.where, node.window)
    known = [f"{owner} IS NOT NULL", f"{facts.dated(query, node.table)} IS NOT NULL"]
    signals = clauses(
        selected([f"{owner} AS owner_id", f"max({score} * {left}) AS value"]),
        source,
        where([*known, *kept]),
        f"GROUP BY {owner}",
    )
    alias = scope.joined(query.sub(node.table, signals), node.owner)
    return query.verdicts.tests(node.tests, f"{alias}.value", "decimal")
