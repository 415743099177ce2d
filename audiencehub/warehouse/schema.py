"""Tables of the warehouse as SQL, made from the canonical tables.

Each canonical table stands twice: `source_<table>` holds every record as its source has it,
cleaned; `<table>` holds what rules read, after identity resolution.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from audiencehub.canonical import TABLES, Table, Type

SQL_TYPES: dict[Type, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "money": "DECIMAL(18,2)",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "instant": "TIMESTAMP",
    "texts": "VARCHAR[]",
    "json": "VARCHAR",
}
ARROW_TYPES: dict[Type, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "money": pa.decimal128(18, 2),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "instant": pa.timestamp("us"),
    "texts": pa.list_(pa.string()),
    "json": pa.string(),
}
RECORD: tuple[tuple[str, Type], ...] = (
    ("source", "text"),
    ("source_id", "text"),
    ("stream", "text"),
    ("record_kind", "text"),
    ("contact_ref", "text"),
    ("account_ref", "text"),
    ("contact_email", "text"),
    ("account_domain", "text"),
    ("contact_external_id", "text"),
    ("observed_at", "instant"),
    ("manifest_id", "integer"),
    ("deleted", "boolean"),
    ("merged_into", "text"),
)
"""Columns of every source table before the canonical ones: origin and links."""
LINKS = (
    "contact_ref",
    "account_ref",
    "contact_email",
    "account_domain",
    "contact_external_id",
    "record_kind",
)
"""Keys of a Row's values that are not fields of its table."""


def source_columns(table: Table) -> list[tuple[str, Type]]:
    """Name and type of each column of `source_<table>`."""
    return [*RECORD, *((field.name, field.type) for field in table.fields)]


def source_arrow(table: Table) -> pa.Schema:
    """The Arrow schema of a batch for `source_<table>`."""
    return pa.schema([(name, ARROW_TYPES[kind]) for name, kind in source_columns(table)])


def keys(table: Table) -> str:
    """The hub's own columns of the resolved table, as SQL."""
    if table.name == "contact":
        return "contact_id INTEGER, account_id INTEGER"
    if table.name == "account":
        return "account_id INTEGER"
    return "contact_id INTEGER, account_id INTEGER, source VARCHAR, source_id VARCHAR"


def statements() -> Iterator[str]:
    """DDL of an empty warehouse. No secondary indexes: they are a known way to lose rows."""
    yield "CREATE TABLE meta(key VARCHAR, value VARCHAR)"
    for table in TABLES.values():
        columns = ", ".join(f'"{name}" {SQL_TYPES[kind]}' for name, kind in source_columns(table))
        yield f"CREATE TABLE source_{table.name}({columns})"
        fields = ", ".join(f'"{field.name}" {SQL_TYPES[field.type]}' for field in table.fields)
        yield f'CREATE TABLE "{table.name}"({keys(table)}, {fields})'
    yield (
        "CREATE TABLE uncleaned(source VARCHAR, stream VARCHAR, source_id VARCHAR, "
        '"table" VARCHAR, field VARCHAR, raw VARCHAR, reason VARCHAR)'
    )
    yield (
        "CREATE TABLE record_map(source VARCHAR, source_id VARCHAR, entity VARCHAR, "
        "record_kind VARCHAR, id INTEGER)"
    )
    yield (
        "CREATE TABLE member(entity VARCHAR, id INTEGER, segment VARCHAR, since TIMESTAMP, "
        "reason VARCHAR)"
    )
