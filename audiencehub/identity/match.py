"""Match: every record of an entity to its person or company, computed anew where it may differ.

Only parts of the graph that a changed record touches are computed again: the record (the warehouse
lists it in `touched_record`), whoever has a key it had or has, and all that these are connected to.
A part is closed under its keys, so that the result is the same as computing everything.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from audiencehub.identity import keys, look
from audiencehub.identity.components import Ids, components
from audiencehub.identity.guard import Group, settle
from audiencehub.identity.keys import Connection
from audiencehub.identity.policy import Policy
from audiencehub.ledger import Ledger
from audiencehub.warehouse.insert import insert


@dataclass(frozen=True, slots=True)
class Matched:
    """What one pass looked at."""

    entity: str
    touched: int
    """Records that are new or changed, or that somebody joined or parted."""
    scope: int
    """Records that were computed anew."""
    full: bool


def match(
    connection: Connection, ledger: Ledger, policy: Policy, now: datetime, upto: int | None = None
) -> Matched:
    """Bring `identity_record` to what source rows, journal and policy say.

    `upto`: the manifest that was landed last; what people decided later does not count yet. Inside
    the caller's transaction. What was computed anew waits for `journal`.
    """
    keys.prepare(connection)
    entity = policy.entity
    full = look.collided(connection) or _mark(connection, entity) != policy.version
    if not full and not look.changed(connection, entity):
        look.collide(connection)
        full = True
    if full:
        for table in ("key", "conflict", "said"):
            connection.execute(f"DELETE FROM identity_{table} WHERE entity = ?", [entity])
        look.everything(connection, entity)
    connection.execute("CREATE OR REPLACE TEMP TABLE touched_own(own INTEGER)")
    connection.execute(keys.NONE_READ)
    look.number(connection, ledger, entity, now)
    _said(connection, ledger, entity, upto)
    insert(connection, "touched_own", "SELECT own FROM known EXCEPT SELECT own FROM touched_own")
    touched = _count(connection, "touched_own")
    if touched and not full:
        touched += keys.around(connection, entity)
    if not (touched or full):
        connection.execute("CREATE OR REPLACE TEMP TABLE scope(own INTEGER)")
        return Matched(entity, 0, 0, full)
    _scope(connection, policy, full=full)
    if touched:
        _parts(connection, policy, full=full)
    insert(
        connection,
        "identity_waiting",
        "SELECT ?, own FROM scope WHERE own NOT IN"
        " (SELECT own FROM identity_waiting WHERE entity = ?)",
        [entity, entity],
    )
    _note(connection, entity, policy.version)
    return Matched(entity, touched, _count(connection, "scope"), full)


def _said(connection: Connection, ledger: Ledger, entity: str, upto: int | None) -> None:
    """What people had joined and parted by then; whom a difference concerns is touched."""
    wanted = {("manual", *row) for row in ledger.merges.manual(entity, upto)}
    wanted |= {
        ("apart", one.merge_id, one.keeps, one.goes)
        for one in ledger.merges.separations(entity, upto)
    }
    known = set(
        connection.execute(
            "SELECT word, n, one, other FROM identity_said WHERE entity = ?", [entity]
        ).fetchall()
    )
    if wanted == known:
        return
    connection.execute("DELETE FROM identity_said WHERE entity = ?", [entity])
    if wanted:
        connection.executemany(
            "INSERT INTO identity_said VALUES(?, ?, ?, ?, ?)",
            [(entity, *row) for row in sorted(wanted)],
        )
    owns = {own for row in wanted ^ known for own in row[2:]}
    connection.executemany("INSERT INTO touched_own VALUES(?)", [(own,) for own in sorted(owns)])
    # A record may be known to the ledger and not yet to a warehouse that is being rebuilt.
    connection.execute(
        "DELETE FROM touched_own"
        " WHERE own NOT IN (SELECT own FROM identity_record WHERE entity = ?)",
        [entity],
    )


def _scope(connection: Connection, policy: Policy, *, full: bool) -> None:
    """All records that the touched ones may be connected to, before or after their change."""
    entity = policy.entity
    if full:
        keys.derive(connection, policy, full=True)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE scope AS SELECT own FROM identity_record"
            f" WHERE entity = '{entity}' ORDER BY own"
        )
        return
    held = (
        f"SELECT mark FROM identity_key WHERE entity = '{entity}'"
        " AND own IN (SELECT own FROM touched_own)"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE keyed_before AS {held}")
    keys.derive(connection, policy, full=False)
    insert(connection, "keyed_before", held)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scope AS
        WITH reached AS (
            SELECT own FROM touched_own UNION
            SELECT own FROM identity_key WHERE entity = '{entity}'
            AND mark IN (SELECT mark FROM keyed_before)
        ), part AS (
            SELECT DISTINCT part FROM identity_record
            WHERE entity = '{entity}' AND own IN (SELECT own FROM reached)
        )
        SELECT own FROM identity_record WHERE entity = '{entity}'
        AND (own IN (SELECT own FROM touched_own) OR part IN (SELECT part FROM part))
        ORDER BY own
        """
    )
    connection.execute(
        "DELETE FROM identity_conflict WHERE entity = ? AND own IN (SELECT own FROM scope)",
        [entity],
    )


def _parts(connection: Connection, policy: Policy, *, full: bool) -> None:
    """Components of the scope, then limits and separations where they matter."""
    entity = policy.entity
    left, right = keys.edges(connection, policy, full=full)
    ids = np.asarray(connection.execute("SELECT own FROM scope ORDER BY own").fetchnumpy()["own"])
    found = components(ids, left, right)
    _stage(connection, "parted", ids, found)
    wrong = keys.doubtful(connection, policy, full=full)
    persons = found.copy()
    if wrong:
        for own, person in _settled(connection, policy, wrong).items():
            persons[np.searchsorted(ids, own)] = person
    _stage(connection, "settled", ids, persons)
    connection.execute(
        f"""
        UPDATE identity_record r SET part = p.part, id = s.part FROM parted p
        JOIN settled s USING (own)
        WHERE r.entity = '{entity}' AND p.own = r.own
          AND (r.part IS DISTINCT FROM p.part OR r.id IS DISTINCT FROM s.part)
        """
    )
    connection.unregister("parted")
    connection.unregister("settled")


def _settled(connection: Connection, policy: Policy, parts: list[int]) -> dict[int, int]:
    entity = policy.entity
    connection.register("wrong", pa.table({"part": pa.array(parts, pa.int32())}))
    rows = connection.execute(
        f"""
        SELECT p.part, k.own, k.kind, k.key FROM identity_key k
        JOIN parted p USING (own) JOIN wrong USING (part)
        WHERE k.entity = '{entity}' AND NOT EXISTS (
            SELECT 1 FROM identity_conflict c WHERE c.entity = '{entity}'
            AND c.own = k.own AND c.kind = k.kind AND c.key = k.key)
        """
    ).fetchall()
    members = connection.execute("SELECT part, own FROM parted JOIN wrong USING (part)").fetchall()
    connection.unregister("wrong")
    owns, held = defaultdict(list), defaultdict(list)
    for part, own in members:
        owns[part].append(own)
    for part, *row in rows:
        held[part].append(row)
    apart: dict[int, list[tuple[int, int]]] = defaultdict(list)
    where = {own: part for part, own in members}
    for one, other in connection.execute(
        "SELECT one, other FROM identity_said WHERE entity = ? AND word = 'apart'", [entity]
    ).fetchall():
        if one in where and where[one] == where.get(other):
            apart[where[one]].append((one, other))
    found: dict[int, int] = {}
    dropped = []
    for part in parts:
        group = Group.of((own, kind, key) for own, kind, key in held[part])
        found |= settle(group, sorted(owns[part]), policy, apart[part])
        dropped += [(entity, c.own, c.kind, c.key, c.reason) for c in group.conflicts]
    if dropped:
        connection.executemany("INSERT INTO identity_conflict VALUES(?, ?, ?, ?, ?)", dropped)
    return found


def _stage(connection: Connection, name: str, ids: Ids, parts: Ids) -> None:
    connection.register(name, pa.table({"own": pa.array(ids), "part": pa.array(parts)}))


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _mark(connection: Connection, entity: str) -> str | None:
    found = connection.execute(
        "SELECT value FROM meta WHERE key = ?", [f"identity_{entity}_policy"]
    ).fetchall()
    return str(found[0][0]) if found else None


def _note(connection: Connection, entity: str, version: str) -> None:
    name = f"identity_{entity}_policy"
    connection.execute("DELETE FROM meta WHERE key = ?", [name])
    connection.execute("INSERT INTO meta VALUES(?, ?)", [name, version])
