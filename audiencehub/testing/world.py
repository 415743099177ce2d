"""A small company in memory: the same data as tables for compiled rules and for the oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb

from audiencehub.rules.language.catalog import CATALOG, FACTS, Catalog
from audiencehub.warehouse.schema import MODEL_SCORE, STAY

SQL = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "money": "DECIMAL(18,2)",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "instant": "TIMESTAMP",
    "texts": "VARCHAR[]",
    "json": "JSON",
}
KEYS = {"contact": ("contact_id", "account_id"), "account": ("account_id",)}
FACT_KEYS = ("contact_id", "account_id", "source", "source_id")


@dataclass(frozen=True, slots=True)
class World:
    """Contacts and accounts by id, and facts by table.

    A contact names its account under `account_id`; a fact its contact and account under
    `contact_id` and `account_id`. Instants are aware. Fields left out are unknown.
    """

    contacts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    accounts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    facts: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    unfilled: frozenset[str] = frozenset()
    """Tables of facts that no source fills."""

    def connect(self, catalog: Catalog = CATALOG) -> duckdb.DuckDBPyConnection:
        """An in-memory warehouse with this data, in the shape that rules read."""
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        people = [{**row, "contact_id": key} for key, row in self.contacts.items()]
        companies = [{**row, "account_id": key} for key, row in self.accounts.items()]
        _fill(connection, catalog, "contact", people)
        _fill(connection, catalog, "account", companies)
        for table in FACTS:
            rows = [
                {"source_id": f"{table}-{n}", **row}
                for n, row in enumerate(self.facts.get(table, ()))
            ]
            _fill(connection, catalog, table, rows)
        connection.execute(STAY)
        for row in self.facts.get("stay", ()):
            names = ("entity", "id", "segment", "entered_at", "left_at")
            values = [_stored(row.get(name)) for name in names]
            connection.execute("INSERT INTO stay VALUES (?, ?, ?, ?, ?)", values)
        connection.execute(MODEL_SCORE)
        for row in self.facts.get("model_score", ()):
            values = [_stored(row[name]) for name in ("entity", "id", "model", "value", "at")]
            connection.execute("INSERT INTO model_score VALUES (?, ?, ?, ?, ?)", values)
        return connection


def _fill(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    table: str,
    rows: Sequence[Mapping[str, Any]],
) -> None:
    keys = KEYS.get(table, FACT_KEYS)
    kinds = {key: "VARCHAR" if key.startswith("source") else "INTEGER" for key in keys}
    kinds.update({one.name: SQL[one.type] for one in catalog.tables[table].fields})
    columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    connection.execute(f'CREATE TABLE "{table}"({columns})')
    if rows:
        marks = ", ".join("?" * len(kinds))
        values = [[_stored(row.get(name)) for name in kinds] for row in rows]
        connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', values)


def _stored(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Decimal) else value
