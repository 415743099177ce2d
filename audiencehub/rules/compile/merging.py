"""Fresh words of some leaves are put into leaf_<entity>, beside the bits that stand there.

`fresh` is a temporary table of the words found; changed_<entity>(id) takes whose words differ.
"""

from __future__ import annotations

import duckdb

from audiencehub.model import Entity
from audiencehub.warehouse.insert import insert

Connection = duckdb.DuckDBPyConnection


def merge(connection: Connection, entity: Entity, masks: list[str]) -> None:
    """Put the fresh words of those in dirty_<entity> into leaf_<entity>, within the masks."""
    key, words = f"{entity}_id", range(len(masks))
    merged = [
        f"(coalesce(o.w{n}, 0::UBIGINT) & ~({mask})) | (coalesce(f.w{n}, 0::UBIGINT) & ({mask}))"
        for n, mask in enumerate(masks)
    ]
    differs = " OR ".join([f"o.{key} IS NULL", *(f"o.w{n} <> {merged[n]}" for n in words)])
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE later AS SELECT d.id, o."
        f"{key} IS NULL AS new, {', '.join(f'{sql} AS w{n}' for n, sql in enumerate(merged))} "
        f"FROM dirty_{entity} AS d LEFT JOIN fresh AS f ON f.{key} = d.id "
        f"LEFT JOIN leaf_{entity} AS o ON o.{key} = d.id WHERE {differs}"
    )
    sets = ", ".join(f"w{n} = l.w{n}" for n in words)
    connection.execute(
        f"UPDATE leaf_{entity} SET {sets} FROM later AS l WHERE {key} = l.id AND NOT new"
    )
    columns = ", ".join(f"w{n}" for n in words)
    insert(connection, f"leaf_{entity}", f"SELECT id, {columns} FROM later WHERE new")
    insert(connection, f"changed_{entity}", "SELECT id FROM later")
    connection.execute("DROP TABLE temp.later")


def replace(connection: Connection, entity: Entity, masks: list[int]) -> None:
    """Put everyone's fresh bits within the masks into leaf_<entity>.

    Who has none of the bits, before and now, is not even looked up: bits are of verdicts that
    differ from the default, and few do. Who is new has a row by now.
    """
    key, within = f"{entity}_id", [f"{one}::UBIGINT" for one in masks]
    some = " OR ".join(f"(w{n} & {mask}) <> 0" for n, mask in enumerate(within))
    bits = ", ".join(f"w{n} & {mask} AS w{n}" for n, mask in enumerate(within))
    differs = " OR ".join(f"f.w{n} IS DISTINCT FROM o.w{n}" for n in range(len(masks)))
    found = ", ".join(f"coalesce(f.w{n}, 0::UBIGINT) AS w{n}" for n in range(len(masks)))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE later AS SELECT coalesce(f.{key}, o.{key}) AS id, "
        f"{found} FROM (SELECT {key}, {bits} FROM fresh WHERE {some}) AS f FULL JOIN "
        f"(SELECT {key}, {bits} FROM leaf_{entity} WHERE {some}) AS o ON o.{key} = f.{key} "
        f"WHERE {differs}"
    )
    sets = ", ".join(f"w{n} = (leaf_{entity}.w{n} & ~{m}) | l.w{n}" for n, m in enumerate(within))
    connection.execute(f"UPDATE leaf_{entity} SET {sets} FROM later AS l WHERE {key} = l.id")
    insert(connection, f"changed_{entity}", "SELECT id FROM later")
    connection.execute("DROP TABLE temp.later")
