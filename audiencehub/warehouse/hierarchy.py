"""Which company belongs to which: parent links of records become links of accounts."""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from audiencehub.warehouse.insert import insert

Numbers = npt.NDArray[np.int64]
SAID = """
    SELECT child.id, arg_min(parent.id, (coalesce(p.priority, 1000), s.source, s.source_id)) AS up
    FROM source_account s
    JOIN record_map child ON child.entity = 'account'
      AND child.source = s.source AND child.source_id = s.source_id
    JOIN record_map parent ON parent.entity = 'account'
      AND parent.source = s.source AND parent.source_id = s.parent_ref
    LEFT JOIN source_policy p ON p.source = s.source
    WHERE s.parent_ref IS NOT NULL AND parent.id <> child.id
    GROUP BY child.id ORDER BY child.id
"""
"""Each account's parent: what the source of the highest priority says."""


def link(connection: duckdb.DuckDBPyConnection) -> int:
    """Bring `account.parent_account_id` to what the records say; accounts that are their own
    ancestors get none. Who changes parent joins `part_account`.

    Always of all accounts: a circle may close far from the record that changed, and links are few.
    Returns how many were left out for their circle.
    """
    found = connection.execute(SAID).fetchnumpy()
    child = np.asarray(found["id"], dtype=np.int64)
    parent = np.asarray(found["up"], dtype=np.int64)
    circular = in_circles(child, parent)
    rows = pa.table({"id": child[~circular], "up": parent[~circular]})
    connection.register("stage_parent", rows)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reparented AS "
        "SELECT a.account_id AS id, CAST(p.up AS INTEGER) AS up FROM account a "
        "LEFT JOIN stage_parent p ON p.id = a.account_id "
        "WHERE a.parent_account_id IS DISTINCT FROM p.up"
    )
    connection.unregister("stage_parent")
    connection.execute(
        "UPDATE account SET parent_account_id = p.up FROM reparented p "
        "WHERE p.id = account.account_id"
    )
    insert(
        connection,
        "part_account",
        "SELECT id FROM reparented EXCEPT SELECT id FROM part_account",
    )
    return int(circular.sum())


def in_circles(child: Numbers, parent: Numbers) -> npt.NDArray[np.bool_]:
    """Of each child whether it is its own ancestor; every child has one parent.

    Going up as many steps as there are nodes (by doubling) ends on a circle or at a top.
    """
    names, places = np.unique(np.concatenate([child, parent]), return_inverse=True)
    top = names.size
    up = np.full(top + 1, top, dtype=np.int64)
    up[places[: child.size]] = places[child.size :]
    for _ in range(int(top).bit_length()):
        up = up[up]
    on_circle = np.zeros(top + 1, dtype=np.bool_)
    on_circle[up] = True
    on_circle[top] = False
    return on_circle[places[: child.size]]
