"""Earlier memberships where rules can read them: the ledger's log as the table `stay`."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from audiencehub.ledger import Ledger
from audiencehub.model import Entity
from audiencehub.rules import RuleBook
from audiencehub.rules.language.form import Past, parts_of

_TYPES = {
    "entity": pa.string(),
    "id": pa.int32(),
    "segment": pa.string(),
    "entered_at": pa.timestamp("us"),
    "left_at": pa.timestamp("us"),
}


def fill_stays(connection: duckdb.DuckDBPyConnection, ledger: Ledger, book: RuleBook) -> int:
    """Write the stays in every segment whose past a rule or trait of the book asks for.

    Instants as naive UTC; who is still in has no left_at. Before the rules are evaluated, so that
    the log is that of earlier runs. Answers with how many rows there are.
    """
    rows: list[tuple[object, ...]] = []
    for entity, segments in asked(book).items():
        rows += [
            (entity, one.id, one.segment, _naive(one.entered_at), _naive(one.left_at))
            for one in ledger.stays.of(entity, segments)
        ]
    connection.execute("DELETE FROM stay")
    if rows:
        columns = [
            pa.array([row[place] for row in rows], kind)
            for place, kind in enumerate(_TYPES.values())
        ]
        connection.register("stage_stay", pa.table(dict(zip(_TYPES, columns, strict=True))))
        connection.execute("INSERT INTO stay SELECT * FROM stage_stay")
        connection.unregister("stage_stay")
    return len(rows)


def asked(book: RuleBook) -> dict[Entity, set[str]]:
    """Entity to the segments whose past the book reads."""
    found: dict[Entity, set[str]] = {}
    for root in (*(one.when for one in book.segments.values()), *book.traits.values()):
        for part in parts_of(root):
            if isinstance(part, Past):
                found.setdefault(part.owner, set()).add(part.segment)
    return found


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
