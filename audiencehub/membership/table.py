"""The table `member` that plans read: every current membership with its start and reason."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC

import duckdb
import pyarrow as pa

from audiencehub.ledger import Ledger, Membership

Pair = tuple[str, int, str]
"""Entity, id, segment."""
NAMES = ("entity", "id", "segment", "since", "reason")
TYPES = (pa.string(), pa.int32(), pa.string(), pa.timestamp("us"), pa.string())


def rewrite(connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    """Write the whole table from the ledger, a segment at a time."""
    connection.execute("DELETE FROM member")
    for entity in ("contact", "account"):
        for segment in ledger.membership.segments(entity):
            found = ledger.membership.of_segment(entity, segment)
            _insert(connection, ((entity, n, segment, one) for n, one in found.items()))


def refresh(connection: duckdb.DuckDBPyConnection, ledger: Ledger, pairs: Iterable[Pair]) -> None:
    """Take these memberships anew from the ledger, and leave all others."""
    wanted = sorted(set(pairs))
    if not wanted:
        return
    columns = [pa.array([one[n] for one in wanted], TYPES[n]) for n in range(3)]
    connection.register("pair", pa.table(dict(zip(NAMES[:3], columns, strict=True))))
    connection.execute(
        "DELETE FROM member AS m USING pair AS p "
        "WHERE m.entity = p.entity AND m.id = p.id AND m.segment = p.segment"
    )
    connection.unregister("pair")
    found = ((*one, ledger.membership.one(*one)) for one in wanted)
    _insert(connection, [(e, n, s, one) for e, n, s, one in found if one is not None])


def _insert(
    connection: duckdb.DuckDBPyConnection, rows: Iterable[tuple[str, int, str, Membership]]
) -> None:
    flat = [
        (entity, number, segment, one.since.astimezone(UTC).replace(tzinfo=None), one.reason)
        for entity, number, segment, one in rows
    ]
    columns = [pa.array([row[n] for row in flat], kind) for n, kind in enumerate(TYPES)]
    connection.register("stage_member", pa.table(dict(zip(NAMES, columns, strict=True))))
    connection.execute("INSERT INTO member SELECT * FROM stage_member")
    connection.unregister("stage_member")
