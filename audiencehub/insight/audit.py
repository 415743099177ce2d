"""Audit of the data: which fields can be trusted, and which segments cannot be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from audiencehub.canonical import Table, spelled
from audiencehub.insight.measures import Measure, known, measure
from audiencehub.insight.people import Connection
from audiencehub.insight.reads import Readers, reached, reads
from audiencehub.rules import RuleBook
from audiencehub.settings import Audit, AuditLimits

Verdict = Literal["ok", "invalid", "sparse", "stale", "drifting"]
NOBODY = Readers(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Judged:
    """A measure and what it means."""

    measure: Measure
    verdict: Verdict
    reasons: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        """The figures, as JSON values; shares from 0 to 1, ages in days."""
        one = self.measure
        return {
            "source": one.source or None,
            "records": one.records,
            "filled": one.filled,
            "uncleaned": one.uncleaned,
            "fill": one.fill,
            "validity": one.validity,
            "uniqueness": one.uniqueness,
            "median_days": one.median_days,
            "old_days": one.old_days,
            "newest_days": one.newest_days,
            "fill_change": one.fill_change,
            "stability": one.stability,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class FieldAudit:
    """One field: over everything, and by source."""

    table: str
    field: str
    whole: Judged
    sources: tuple[Judged, ...]
    """Those that have the field at all."""
    segments: tuple[str, ...]
    """Whose rules read it."""
    needing: tuple[str, ...]
    """Those of them that cannot do without: an unknown value decides."""

    @property
    def name(self) -> str:
        """As rules write it."""
        return spelled(self.table, self.field)

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "field": self.name,
            "read_by": list(self.segments),
            **self.whole.json(),
            "sources": [one.json() for one in self.sources],
        }


def audit(
    connection: Connection,
    tables: Mapping[str, Table],
    limits: Audit,
    book: RuleBook,
    at: datetime,
) -> list[FieldAudit]:
    """Every field of every table, as of a clock, by table and then as the table has them."""
    readers = reads(book)
    found = []
    for table in tables.values():
        here = known(connection, table)
        measures = measure(connection, here, at)
        for field in here.fields:
            name = f"{table.name}.{field.name}"
            whole, *parts = measures[field.name]
            sources = tuple(
                _judge(one, limits.of(name), table, part=True)
                for one in parts
                if one.filled or one.uncleaned
            )
            judged = _with_sources(_judge(whole, limits.of(name), table, part=False), sources)
            read = readers.get((table.name, field.name), NOBODY)
            by = (tuple(sorted(read.segments)), tuple(sorted(read.needing)))
            found.append(FieldAudit(table.name, field.name, judged, sources, *by))
    return found


def not_measurable(fields: list[FieldAudit], book: RuleBook) -> dict[str, tuple[str, ...]]:
    """Segment to the reasons why its size and movement say nothing, by segment."""
    failing: dict[str, tuple[str, ...]] = {}
    for one in fields:
        if one.whole.verdict == "ok":
            continue
        for segment in one.needing if one.whole.verdict == "sparse" else one.segments:
            reason = f"{one.name} is {one.whole.verdict}: {one.whole.reasons[0]}"
            failing[segment] = (*failing.get(segment, ()), reason)
    return reached(book, failing)


def _judge(one: Measure, limits: AuditLimits, table: Table, *, part: bool) -> Judged:
    """A source may leave a field to others; together they must fill it."""
    found: list[tuple[Verdict, str]] = []
    if one.validity is not None and one.validity < limits.validity:
        found.append(("invalid", f"{1 - one.validity:.0%} of its values cannot be understood"))
    if not part and not one.filled:
        found.append(("sparse", "no source fills it"))
    elif not part and table.entity and one.fill < limits.fill:
        found.append(("sparse", f"only {one.fill:.1%} of all {table.name}s have it"))
    if table.entity and one.median_days is not None and one.median_days > limits.median_days:
        age = f"{one.median_days:,.0f} days"
        found.append(("stale", f"half of its values are older than {age}"))
    if not table.entity and one.newest_days is not None and one.newest_days > limits.quiet_days:
        found.append(("stale", f"nothing newer than {one.newest_days:,.0f} days"))
    if one.fill_change is not None and abs(one.fill_change) > limits.fill_change:
        found.append(("drifting", f"{one.fill_change:+.0%} filled since the last full pull"))
    if one.stability is not None and one.stability > limits.stability:
        found.append(("drifting", f"its values are others than before ({one.stability:.2f})"))
    verdict: Verdict = found[0][0] if found else "ok"
    return Judged(one, verdict, tuple(reason for _, reason in found))


def _with_sources(whole: Judged, sources: tuple[Judged, ...]) -> Judged:
    """Drift is seen at a source; a field drifts when one drifts that gives a fifth of it."""
    if whole.verdict != "ok":
        return whole
    total = sum(one.measure.filled for one in sources) or 1
    for one in sources:
        if one.verdict == "drifting" and one.measure.filled >= total / 5:
            return Judged(whole.measure, "drifting", (f"{one.measure.source}: {one.reasons[0]}",))
    return whole


@dataclass(frozen=True, slots=True)
class Aside:
    """Values of one field that could not be cleaned, for one reason."""

    field: str
    source: str
    reason: str
    count: int
    examples: tuple[str, ...]
    """Raw values, at most three different ones."""


def uncleaned(connection: Connection, field: str | None = None) -> list[Aside]:
    """What is kept raw, most frequent first; of one `table.field` when given."""
    rows = connection.execute(
        """
        SELECT "table" || '.' || regexp_replace(field, '^custom_', 'custom.') AS name, source,
               reason, count(*) AS n, list_sort(list_distinct(list(raw)))[1:3]
        FROM uncleaned WHERE $field IS NULL OR name = $field
        GROUP BY name, source, reason ORDER BY n DESC, name, source, reason
        """,
        {"field": field},
    ).fetchall()
    return [
        Aside(name, source, reason, count, tuple(examples))
        for name, source, reason, count, examples in rows
    ]
