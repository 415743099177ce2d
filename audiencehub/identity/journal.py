"""Journal: what a pass joined is written down once, with evidence; what fell apart is closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from audiencehub.identity.keys import Connection
from audiencehub.ledger import Ledger

APART = "the records no longer share a key that counts"
MARK = 16
"""Characters of the keyed digest that stand for a value."""


def journal(
    connection: Connection,
    ledger: Ledger,
    entity: str,
    run_id: str,
    now: datetime,
    upto: int | None = None,
) -> int:
    """Aliases and merges of the records that wait for it; how many merges are new.

    `upto`: as `match` was given it.
    """
    persons = dict(
        connection.execute(
            "SELECT own, id FROM identity_record WHERE entity = ?"
            " AND own IN (SELECT own FROM identity_waiting WHERE entity = ?)",
            [entity, entity],
        ).fetchall()
    )
    if not persons:
        return 0
    alias = ledger.merges.alias(entity, persons)
    changed = {own: one for own, one in persons.items() if alias.get(own, own) != one}
    holding, ended = set(), []
    for merge in ledger.merges.open(entity, persons, upto):
        if merge.loser not in persons:
            continue
        person = persons[merge.loser]
        if person == persons.get(merge.survivor) and person != merge.loser:
            holding.add(merge.loser)
        elif merge.rule == "automatic":
            ended.append(merge.merge_id)
    fresh = {own: person for own, person in persons.items() if own != person and own not in holding}
    with ledger.transaction():
        ledger.merges.set_alias(entity, changed)
        ledger.merges.close(ended, f"run {run_id}", now, APART)
        evidence = _evidence(connection, ledger, entity, fresh) if fresh else {}
        ledger.merges.record(
            entity,
            "automatic",
            f"run {run_id}",
            now,
            [(person, own, evidence.get(own, []), "") for own, person in sorted(fresh.items())],
        )
    connection.execute("DELETE FROM identity_waiting WHERE entity = ?", [entity])
    return len(fresh)


def _evidence(
    connection: Connection, ledger: Ledger, entity: str, fresh: Mapping[int, int]
) -> dict[int, list[dict[str, Any]]]:
    """Per record the keys that tie it to another record of its person."""
    table = pa.table(
        {
            "own": pa.array(list(fresh), pa.int32()),
            "id": pa.array(list(fresh.values()), pa.int32()),
        }
    )
    connection.register("fresh_merge", table)
    rows = connection.execute(
        f"""
        WITH key AS ({_held(connection, entity)}
            AND NOT EXISTS (
                SELECT 1 FROM identity_conflict c WHERE c.entity = k.entity
                AND c.own = k.own AND c.kind = k.kind AND c.key = k.key)
        )
        SELECT f.own, mine.kind, min(mine.key), min(theirs.own)
        FROM fresh_merge f JOIN key mine ON mine.own = f.own
        JOIN key theirs ON theirs.kind = mine.kind AND theirs.key = mine.key
          AND theirs.own <> mine.own AND theirs.id = f.id
        GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    connection.unregister("fresh_merge")
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for own, kind, key, peer in rows:
        mark = ledger.sealing.digest({kind: key})[:MARK]
        found[own].append({"kind": kind, "mark": mark, "with": peer})
    return found


def _held(connection: Connection, entity: str) -> str:
    """SQL of the keys of all records of the persons in `fresh_merge`, under the person's `id`; from
    what `match` has read, where it has read them all."""
    among = f"r.entity = '{entity}' AND r.id IN (SELECT id FROM fresh_merge)"
    ((others,),) = connection.execute(
        "SELECT count(*) FROM fresh_merge WHERE own NOT IN (SELECT own FROM scope)"
    ).fetchall()
    read = connection.execute(
        "SELECT 1 FROM scope_key WHERE entity = ? LIMIT 1", [entity]
    ).fetchall()
    if read and not others:
        return (
            "SELECT k.own, k.kind, k.key, r.id FROM scope_key k "
            f"JOIN identity_record r ON r.own = k.own WHERE {among}"
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE evidence_place AS SELECT k.rowid AS place, r.id "
        "FROM identity_key k JOIN identity_record r ON r.own = k.own "
        f"WHERE k.entity = '{entity}' AND {among}"
    )
    return (
        "SELECT k.own, k.kind, k.key, p.id FROM identity_key k "
        "JOIN evidence_place p ON p.place = k.rowid WHERE true"
    )
