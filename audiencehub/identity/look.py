"""Look: which records a pass begins with, and the own ids of those that have none yet."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from audiencehub.identity.keys import Connection
from audiencehub.ledger import Ledger
from audiencehub.warehouse.insert import insert

COLLIDED = "keys_collide"
"""Under this key of `meta` stands that two records had one `record_key`: from then on every pass
looks at everything, and compares text."""


def everything(connection: Connection, entity: str) -> None:
    """Every record: `known(source, source_id, own)` of those with an own id, and `unnumbered`."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE known AS SELECT r.source, r.source_id, r.own"
        f" FROM identity_record r SEMI JOIN source_{entity} USING (source, source_id)"
        f" WHERE r.entity = '{entity}'"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE unnumbered AS SELECT source, source_id FROM source_{entity}"
        " ANTI JOIN known USING (source, source_id)"
    )
    ((rows, keys),) = connection.execute(
        f"SELECT count(record_key), count(DISTINCT record_key) FROM source_{entity}"
    ).fetchall()
    if rows != keys:
        collide(connection)


def changed(connection: Connection, entity: str) -> bool:
    """The same of the records in `touched_record`, which stand in `told(source, source_id,
    record_key)`; False where two records of the source table have one of their keys, so that
    numbers do not tell them apart."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE told AS SELECT DISTINCT source, source_id,"
        " hash(source, source_id) AS record_key FROM touched_record"
        f" WHERE \"table\" = '{entity}'"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE there AS SELECT record_key FROM source_{entity}"
        " WHERE record_key IN (SELECT record_key FROM told)"
    )
    ((rows, keys),) = connection.execute(
        "SELECT count(*), count(DISTINCT record_key) FROM there"
    ).fetchall()
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE known AS SELECT told.source, told.source_id, r.own"
        f" FROM identity_record r JOIN told USING (record_key) WHERE r.entity = '{entity}'"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE unnumbered AS SELECT source, source_id FROM told"
        " SEMI JOIN there USING (record_key) ANTI JOIN known USING (source, source_id)"
    )
    return bool(rows == keys)


def number(connection: Connection, ledger: Ledger, entity: str, now: datetime) -> None:
    """Own ids of the records in `unnumbered`, which join `known`: given once, and for ever in the
    ledger."""
    fresh = connection.execute("SELECT source, source_id FROM unnumbered").fetchall()
    if not fresh:
        return
    ids = ledger.people.assign(entity, [(source, key, now) for source, key in fresh])
    table = pa.table(
        {
            "source": pa.array([key[0] for key in ids], pa.string()),
            "source_id": pa.array([key[1] for key in ids], pa.string()),
            "own": pa.array(list(ids.values()), pa.int32()),
        }
    )
    connection.register("stage_own", table)
    connection.execute(
        f"INSERT INTO identity_record SELECT '{entity}', source, source_id, own, NULL, NULL,"
        " hash(source, source_id) FROM stage_own ORDER BY own"
    )
    insert(connection, "known", "FROM stage_own")
    connection.unregister("stage_own")


def collided(connection: Connection) -> bool:
    """Whether two records ever had one key."""
    return bool(
        connection.execute("SELECT 1 FROM meta WHERE key = ? LIMIT 1", [COLLIDED]).fetchall()
    )


def collide(connection: Connection) -> None:
    """Note that two have, inside the caller's transaction."""
    if not collided(connection):
        connection.execute("INSERT INTO meta VALUES(?, '1')", [COLLIDED])
