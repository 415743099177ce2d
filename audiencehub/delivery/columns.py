"""Columns that a source lost: a field that was filled and is not, or that nobody can read now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import duckdb

from audiencehub.delivery.guards import GuardResult
from audiencehub.insight.reads import FieldName, reads
from audiencehub.ledger import Ledger
from audiencehub.rules import RuleBook

FEWEST = 20
"""Records that a pull must have before its shares say anything."""
SHARE = 0.5
"""Part of the usual share that a field may lose from one whole pull to the next."""


@dataclass(frozen=True, slots=True)
class Lost:
    """One field of one stream, in the newest whole pull against those before it."""

    source: str
    stream: str
    field: FieldName
    usual: float
    """Share of records that had it; of several pulls the middle one."""
    now: float
    unreadable: int
    """Values that are there and could not be read: the field has another type."""


def lost(connection: duckdb.DuckDBPyConnection) -> Iterator[Lost]:
    """Every field that lost more than half of its values at once, in any stream."""
    found = connection.execute(
        'SELECT source, stream, "table", field, list(filled / records ORDER BY manifest_id DESC), '
        "first(records ORDER BY manifest_id DESC), first(uncleaned ORDER BY manifest_id DESC) "
        'FROM pull_stat WHERE records > 0 GROUP BY source, stream, "table", field '
        "HAVING count(*) > 1 ORDER BY ALL"
    ).fetchall()
    for source, stream, table, field, shares, records, unreadable in found:
        usual = median(shares[1:])
        if records >= FEWEST and usual * records >= FEWEST and shares[0] < SHARE * usual:
            yield Lost(source, stream, (table, field), usual, shares[0], unreadable)


def emptied(
    connection: duckdb.DuckDBPyConnection, ledger: Ledger, book: RuleBook, target: str
) -> list[GuardResult]:
    """What holds the plans of a target: lost fields that rules read, until a person has approved
    a plan since. What is held keeps everybody at the destination as they are."""
    results = []
    for one in lost(connection):
        readers = reads(book).get(one.field)
        at = ledger.manifests.last_full(one.source, one.stream)
        if readers is None or (at is not None and ledger.plans.approved_since(target, at)):
            continue
        why = f"; {one.unreadable:,} values cannot be read any more" if one.unreadable else ""
        message = (
            f"{one.source}/{one.stream}: {'.'.join(one.field)} stood in {one.usual:.0%} of the "
            f"records and stands in {one.now:.0%}{why}; "
            f"{', '.join(sorted(readers.segments))} read it"
        )
        results.append(
            GuardResult("source_field", "hold", message, None, one.now, SHARE * one.usual)
        )
    return results
