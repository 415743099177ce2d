"""Tables of the warehouse as SQL, made from the canonical tables.

Each canonical table stands twice: `source_<table>` holds every record as its source has it,
cleaned; `<table>` holds what rules read, after identity resolution. `<entity>_history` holds what
was read of each person and company at any earlier time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import pyarrow as pa

from audiencehub.canonical import TABLES, Table
from audiencehub.warehouse import history, provenance, touched

SQL_TYPES: dict[str, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "money": "DECIMAL(18,2)",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "instant": "TIMESTAMP",
    "texts": "VARCHAR[]",
    "json": "VARCHAR",
    "aside": "STRUCT(field VARCHAR, raw VARCHAR, reason VARCHAR)[]",
    "digest": "UBIGINT",
}
ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "money": pa.decimal128(18, 2),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "instant": pa.timestamp("us"),
    "texts": pa.list_(pa.string()),
    "json": pa.string(),
    "aside": pa.list_(pa.struct({name: pa.string() for name in ("field", "raw", "reason")})),
    "digest": pa.uint64(),
}
RECORD: tuple[tuple[str, str], ...] = (
    ("source", "text"),
    ("source_id", "text"),
    ("stream", "text"),
    ("record_kind", "text"),
    ("contact_ref", "text"),
    ("account_ref", "text"),
    ("contact_email", "text"),
    ("account_domain", "text"),
    ("contact_external_id", "text"),
    ("parent_ref", "text"),
    ("observed_at", "instant"),
    ("modified_at", "instant"),
    ("manifest_id", "integer"),
    ("deleted", "boolean"),
    ("absent", "boolean"),
    ("merged_into", "text"),
    ("uncleaned", "aside"),
    ("digest", "digest"),
    ("record_key", "digest"),
    ("contact_key", "digest"),
    ("account_key", "digest"),
    ("email_key", "digest"),
    ("number_key", "digest"),
    ("domain_key", "digest"),
)
"""Columns of every source table before the canonical ones: origin, links, and what could not be
cleaned. `absent`: deleted because a complete full pull did not have it, not by a tombstone.
`digest`: of what profiles and facts are made of; none where it was changed in place."""
HASHED: Mapping[str, tuple[str, ...]] = {
    "record_key": ("source", "source_id"),
    "contact_key": ("source", "contact_ref"),
    "account_key": ("source", "account_ref"),
    "email_key": ("contact_email",),
    "number_key": ("contact_external_id",),
    "domain_key": ("account_domain",),
}
"""Columns of source tables with a hash of text columns: few records are found among millions by
numbers, at a fifth of what comparing text costs. Two texts may have one hash, so what these find is
a superset; of contacts and accounts `match` sees to it that no two records share a `record_key`."""
LINKS = (
    "contact_ref",
    "account_ref",
    "parent_ref",
    "contact_email",
    "account_domain",
    "contact_external_id",
    "record_kind",
)
"""Keys of a Row's values that are not fields of its table."""
STAY = (
    "CREATE TABLE stay(entity VARCHAR, id INTEGER, segment VARCHAR, entered_at TIMESTAMP, "
    "left_at TIMESTAMP)"
)
"""Earlier memberships, of the segments whose past some rule reads; no left_at while they last."""
MODEL_SCORE = (
    "CREATE TABLE model_score(entity VARCHAR, id INTEGER, model VARCHAR, value DOUBLE, "
    '"at" TIMESTAMP)'
)
"""What models say of contacts and accounts, and when they said it: a trait reads the newest."""


def source_columns(table: Table) -> list[tuple[str, str]]:
    """Name and type of each column of `source_<table>`."""
    return [*RECORD, *((field.name, field.type) for field in table.fields)]


def hashes(alias: str) -> dict[str, str]:
    """SQL of each column of `HASHED`, from the text of a row; NULL where there is none."""
    found = {}
    for name, columns in HASHED.items():
        texts = [f"{alias}.{column}" for column in columns]
        found[name] = f"CASE WHEN {texts[-1]} IS NOT NULL THEN hash({', '.join(texts)}) END"
    return found


def source_arrow(table: Table) -> pa.Schema:
    """The Arrow schema of a batch for `source_<table>`."""
    return pa.schema([(name, ARROW_TYPES[kind]) for name, kind in source_columns(table)])


def keys(table: Table) -> str:
    """The hub's own columns of the resolved table, as SQL."""
    if table.entity:
        return ", ".join(f"{name} INTEGER" for name in history.KEYS[table.name])
    return (
        "contact_id INTEGER, account_id INTEGER, source VARCHAR, source_id VARCHAR, "
        "record_key UBIGINT"
    )


def statements(tables: Mapping[str, Table] = TABLES) -> Iterator[str]:
    """DDL of an empty warehouse. No secondary indexes: they are a known way to lose rows."""
    yield "CREATE TABLE meta(key VARCHAR, value VARCHAR)"
    for table in tables.values():
        columns = ", ".join(f'"{name}" {SQL_TYPES[kind]}' for name, kind in source_columns(table))
        yield f"CREATE TABLE source_{table.name}({columns})"
        yield f'CREATE TABLE "{table.name}"({keys(table)}, {_fields(table)})'
        if table.entity:
            yield (
                f"CREATE TABLE {table.name}_history({keys(table)}, {_fields(table)}, "
                "valid_from TIMESTAMP, valid_to TIMESTAMP, digest UBIGINT)"
            )
    yield (
        "CREATE TABLE record_map(source VARCHAR, source_id VARCHAR, entity VARCHAR, "
        "record_kind VARCHAR, id INTEGER, record_key UBIGINT)"
    )
    yield (
        "CREATE TABLE member(entity VARCHAR, id INTEGER, segment VARCHAR, since TIMESTAMP, "
        "reason VARCHAR)"
    )
    yield STAY
    yield MODEL_SCORE
    yield from touched.statements()
    yield from provenance.statements(tables)
    yield history.view(tables)
    yield _uncleaned(tables)
    yield (
        "CREATE TABLE pull_stat(manifest_id BIGINT, source VARCHAR, stream VARCHAR, "
        '"table" VARCHAR, field VARCHAR, records BIGINT, filled BIGINT, uncleaned BIGINT)'
    )
    yield (
        'CREATE TABLE pull_value(manifest_id BIGINT, source VARCHAR, "table" VARCHAR, '
        "field VARCHAR, value VARCHAR, records BIGINT)"
    )


def fingerprint(tables: Mapping[str, Table] = TABLES) -> str:
    """Changes when any table or view does: a warehouse of another shape is made anew."""
    return hashlib.sha256("\n".join(statements(tables)).encode()).hexdigest()[:16]


def _fields(table: Table) -> str:
    return ", ".join(f'"{field.name}" {SQL_TYPES[field.type]}' for field in table.fields)


def _uncleaned(tables: Mapping[str, Table]) -> str:
    """Values that could not be cleaned; they go when their record comes clean."""
    parts = " UNION ALL ".join(
        f"SELECT source, stream, source_id, '{name}' AS \"table\", u.field, u.raw, u.reason FROM "
        f"(SELECT source, stream, source_id, unnest(uncleaned) AS u FROM source_{name} "
        "WHERE NOT deleted)"
        for name in tables
    )
    return f"CREATE VIEW uncleaned AS {parts}"
