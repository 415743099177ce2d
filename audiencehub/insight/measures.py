"""How full, valid, fresh and distinct each field of each source is, counted in the warehouse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audiencehub.canonical import Field, Table
from audiencehub.insight.people import Connection
from audiencehub.warehouse.stats import categorical

ALL = ""
"""The source of a measure over all of them."""
DATES = ("at", "created_at", "last_detected_at", "period_end", "started_at")
"""What dates a fact, best first; a profile is dated by its last change."""
ENOUGH = 100
"""Values on either side below which shares are not compared."""
LEAST = 0.0005
"""The share that a value counts with that one side does not have at all."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One field of one source, over its live records; over all sources of the profiles."""

    source: str
    records: int = 0
    filled: int = 0
    uncleaned: int = 0
    distinct: int = 0
    median_days: float | None = None
    """Age of the values: of profiles since the record's last change, of facts since they were."""
    old_days: float | None = None
    """One in twenty is older."""
    newest_days: float | None = None
    fill_change: float | None = None
    """Against the last full pull before; the stream that moved most. None: nothing to compare."""
    stability: float | None = None
    """Population-stability index against that pull: 0 the same, above 0.25 another population."""

    @property
    def fill(self) -> float:
        """Share of records that have a value."""
        return self.filled / self.records if self.records else 0.0

    @property
    def validity(self) -> float | None:
        """Of the values that were there, the share that could be understood."""
        there = self.filled + self.uncleaned
        return self.filled / there if there else None

    @property
    def uniqueness(self) -> float | None:
        """Different values per value."""
        return min(1.0, self.distinct / self.filled) if self.filled else None


def measure(connection: Connection, table: Table, at: datetime) -> dict[str, list[Measure]]:
    """Field to its measures: over everything first, then by source; those that have records."""
    aside = _aside(connection, table)
    drift = _drift(connection, table)
    found: dict[str, list[Measure]] = {field.name: [] for field in table.fields}
    for source, records, *counts in connection.execute(_sql(table), {"at": _naive(at)}).fetchall():
        for place, field in enumerate(table.fields):
            filled, distinct, ages, newest = counts[4 * place : 4 * place + 4]
            moved, index = drift.get((source, field.name), (None, None))
            uncleaned = aside.get((source, field.name), 0)
            median, old = ages or (None, None)
            found[field.name].append(
                Measure(
                    source, records, filled, uncleaned, distinct, median, old, newest, moved, index
                )
            )
    if table.entity:
        _resolved(connection, table, found)
    return found


def _sql(table: Table) -> str:
    dates = [name for name in DATES if table.field(name)]
    dated = "observed_at"
    if not table.entity and dates:
        dated = f'coalesce(CAST("{dates[0]}" AS TIMESTAMP), observed_at)'
    # Profiles are counted exactly; facts are too many for that to be worth its memory.
    distinct = "count(DISTINCT {0})" if table.entity else "approx_count_distinct({0})"
    columns = ", ".join(
        f"count({name}), {distinct.format(name)}, "
        f"approx_quantile(age, [0.5, 0.95]) FILTER ({name} IS NOT NULL), "
        f"min(age) FILTER ({name} IS NOT NULL)"
        for name in (f'"{field.name}"' for field in table.fields)
    )
    return (
        f"SELECT coalesce(source, '{ALL}') AS of, count(*), {columns} FROM ("
        f"SELECT *, epoch($at - {dated}) / 86400 AS age FROM source_{table.name} "
        "WHERE NOT deleted) GROUP BY GROUPING SETS ((source), ()) ORDER BY of"
    )


def _resolved(connection: Connection, table: Table, found: Mapping[str, list[Measure]]) -> None:
    """Fill and difference over everything are those of the people, not of their records."""
    columns = ", ".join(
        f'count("{field.name}"), count(DISTINCT "{field.name}")' for field in table.fields
    )
    row = connection.execute(f"SELECT count(*), {columns} FROM {table.name}").fetchone()
    assert row is not None, "an aggregate has a row"
    for place, field in enumerate(table.fields):
        whole = found[field.name][0]
        filled, distinct = row[1 + 2 * place], row[2 + 2 * place]
        rest = (whole.uncleaned, distinct, whole.median_days, whole.old_days, whole.newest_days)
        found[field.name][0] = Measure(ALL, row[0], filled, *rest)


def _aside(connection: Connection, table: Table) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        f"SELECT coalesce(source, '{ALL}'), u.field, count(*) FROM ("
        f"SELECT source, unnest(uncleaned) AS u FROM source_{table.name} WHERE NOT deleted) "
        "GROUP BY GROUPING SETS ((source, u.field), (u.field))"
    ).fetchall()
    return {(source, field): count for source, field, count in rows}


Drift = dict[tuple[str, str], tuple[float | None, float | None]]


def _drift(connection: Connection, table: Table) -> Drift:
    """(source, field) to the change of fill and the stability index of its worst stream."""
    bases = _bases(connection, table)
    if not bases:
        return {}
    columns = ", ".join(f'count("{field.name}")' for field in table.fields)
    now = {
        (source, stream): (records, dict(zip((f.name for f in table.fields), counts, strict=True)))
        for source, stream, records, *counts in connection.execute(
            f"SELECT source, stream, count(*), {columns} FROM source_{table.name} "
            "WHERE NOT deleted GROUP BY source, stream"
        ).fetchall()
    }
    found: Drift = {}
    for (source, stream), manifest in bases.items():
        records, counts = now.get((source, stream), (0, {}))
        if not records:
            continue
        indexes = _indexes(connection, table, source, stream, manifest)
        for name, before, filled in connection.execute(
            'SELECT field, records, filled FROM pull_stat WHERE manifest_id = ? AND "table" = ?',
            [manifest, table.name],
        ).fetchall():
            if name not in counts:
                continue
            moved = counts[name] / records - filled / before
            found[source, name] = _worse(found.get((source, name)), moved, indexes.get(name))
    return found


def _worse(
    known: tuple[float | None, float | None] | None, moved: float, index: float | None
) -> tuple[float | None, float | None]:
    change, highest = known or (None, None)
    if change is None or abs(moved) > abs(change):
        change = moved
    if index is not None and (highest is None or index > highest):
        highest = index
    return change, highest


def _bases(connection: Connection, table: Table) -> dict[tuple[str, str], int]:
    """(source, stream) to the newest full pull before what the table holds now."""
    rows = connection.execute(
        f"""
        SELECT s.source, s.stream, max(p.manifest_id)
        FROM (SELECT source, stream, max(manifest_id) AS newest FROM source_{table.name}
              GROUP BY source, stream) s
        JOIN (SELECT DISTINCT source, stream, manifest_id FROM pull_stat WHERE "table" = ?) p
          ON p.source = s.source AND p.stream = s.stream AND p.manifest_id < s.newest
        GROUP BY s.source, s.stream ORDER BY ALL
        """,
        [table.name],
    ).fetchall()
    return {(source, stream): int(manifest) for source, stream, manifest in rows}


def _indexes(
    connection: Connection, table: Table, source: str, stream: str, manifest: int
) -> dict[str, float]:
    """Field to its stability index, where both sides have enough values."""
    before: dict[str, dict[str, int]] = {}
    for name, value, count in connection.execute(
        'SELECT field, value, records FROM pull_value WHERE manifest_id = ? AND "table" = ?',
        [manifest, table.name],
    ).fetchall():
        before.setdefault(name, {})[value] = count
    found = {}
    for name, shares in before.items():
        field = table.field(name)
        if field is None or not categorical(field):
            continue
        now = dict(
            connection.execute(
                f'SELECT CAST("{name}" AS VARCHAR), count(*) FROM source_{table.name} '
                f'WHERE source = ? AND stream = ? AND NOT deleted AND "{name}" IS NOT NULL '
                "GROUP BY 1",
                [source, stream],
            ).fetchall()
        )
        if min(sum(shares.values()), sum(now.values())) >= ENOUGH:
            found[name] = stability(shares, now)
    return found


def stability(before: Mapping[str, int], now: Mapping[str, int]) -> float:
    """Population-stability index: the sum of (p - q) ln(p / q) over the values known before, and
    one more for all others."""
    total, fresh = sum(before.values()), sum(now.values())
    others = sum(count for value, count in now.items() if value not in before)
    pairs = [(before[value] / total, now.get(value, 0) / fresh) for value in before]
    index = 0.0
    for was, is_ in [*pairs, (0.0, others / fresh)]:
        p, q = max(was, LEAST), max(is_, LEAST)
        index += (q - p) * math.log(q / p)
    return index


def known(connection: Connection, table: Table) -> Table:
    """The table with those fields only that the open copy has."""
    columns = connection.execute(f"SELECT * FROM source_{table.name} LIMIT 0").description or ()
    names = {column[0] for column in columns}
    fields: tuple[Field, ...] = tuple(one for one in table.fields if one.name in names)
    return Table(table.name, table.about, fields, table.entity)


def _naive(at: datetime) -> Any:
    return at.astimezone(UTC).replace(tzinfo=None)
