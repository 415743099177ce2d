"""SQL that makes facts from source rows: whose they are, and money in the company's currency.

Reads the temporary tables `rate`, that the resolve step fills, and `named_email`,
`named_external_id`, `named_domain` and `named_record`, and the variable `company_currency`. Every
statement comes whole, or for the rows of `reach_<table>` only, with the same result for these:
`read` finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audiencehub.canonical import Table
from audiencehub.warehouse.provenance import ENTITIES

DAY_OF_RATE = ("at", "created_at", "started_at")
"""Where a fact has several dates, the one whose day decides the rate of its money."""
LINKS = """
    LEFT JOIN {record_map} by_ref ON by_ref.entity = 'contact'
      AND by_ref.source = s.source AND by_ref.source_id = s.contact_ref
    LEFT JOIN named_email by_email ON by_email.key = s.contact_email
    LEFT JOIN named_external_id by_number ON by_number.key = s.contact_external_id
    LEFT JOIN {record_map} account_ref ON account_ref.entity = 'account'
      AND account_ref.source = s.source AND account_ref.source_id = s.account_ref
    LEFT JOIN named_domain account_domain ON account_domain.key = s.account_domain
"""
PERSON = "coalesce(by_ref.id, by_email.id, by_number.id)"
COMPANY = "coalesce(account_ref.id, account_domain.id)"
READ = (
    "source", "source_id", "record_key", "deleted", "contact_ref", "contact_email",
    "contact_external_id", "account_ref", "account_domain",
)  # fmt: skip
"""Columns of a source row that a fact is made of, beside its fields."""
NAMES = {"email": "contact_email", "external_id": "contact_external_id"}
"""Natural keys of a person, and the link of a fact that says one."""


def dated(table: Table) -> str | None:
    """The field whose day decides the rate of a fact's money; None: nothing to convert."""
    if not table.field("currency") or not any(one.type == "money" for one in table.fields):
        return None
    dates = [one.name for one in table.fields if one.type in ("instant", "date")]
    return next((name for name in DAY_OF_RATE if name in dates), dates[0] if dates else None)


def read(table: Table) -> Iterator[str]:
    """Fill `read_<table>` with the live rows of `reach_<table>`, and `gone_<table>` with the place
    and the owners of what these have been."""
    name = table.name
    columns = ", ".join(f's."{one}"' for one in (*READ, *(one.name for one in table.fields)))
    yield (
        f"CREATE OR REPLACE TEMP TABLE read_{name} AS SELECT {columns} FROM source_{name} s "
        f"JOIN (SELECT place FROM reach_{name} WHERE NOT deleted) p ON p.place = s.rowid"
    )
    yield (
        f"CREATE OR REPLACE TEMP TABLE gone_{name} AS "
        f'SELECT rowid AS place, contact_id, account_id FROM "{name}" '
        f"WHERE record_key IN (SELECT record_key FROM reach_{name})"
    )


def naming(tables: Iterable[Table], *, part: bool = False) -> Iterator[str]:
    """Fill the tables of natural keys that name exactly one person or company; in part also
    `named_record`, the rows of `record_map` that the facts name."""
    listed = list(tables)
    if part:
        asked = " UNION ".join(
            f"SELECT hash(source, {entity}_ref) AS record_key FROM read_{one.name} "
            f"WHERE {entity}_ref IS NOT NULL"
            for one in listed
            for entity in ENTITIES
        )
        yield (
            "CREATE OR REPLACE TEMP TABLE named_place AS SELECT rowid AS place FROM record_map "
            f"WHERE record_key IN ({asked})"
        )
        yield (
            "CREATE OR REPLACE TEMP TABLE named_record AS SELECT m.* FROM record_map m "
            "JOIN named_place p ON p.place = m.rowid"
        )
    same = "record_key" if part else "source, source_id"
    for key, link in NAMES.items():
        asked = " UNION ".join(
            f"SELECT {link} FROM {_rows(one, part)} WHERE {link} IS NOT NULL" for one in listed
        )
        only = f"AND s.{key} IN ({asked})" if part and asked else ""
        yield f"""
            CREATE OR REPLACE TEMP TABLE named_{key} AS
            SELECT s.{key} AS key, min(m.id) AS id
            FROM source_contact s JOIN record_map m USING ({same})
            WHERE m.entity = 'contact' AND s.{key} IS NOT NULL {only}
            GROUP BY s.{key} HAVING count(DISTINCT m.id) = 1
        """
    yield """
        CREATE OR REPLACE TEMP TABLE named_domain AS
        SELECT domain AS key, min(account_id) AS id
        FROM account WHERE domain IS NOT NULL GROUP BY domain
    """


def currency_days(tables: Iterable[Table], *, part: bool = False) -> str:
    """Every (currency, day) that a fact with money has."""
    return " UNION ".join(
        f'SELECT currency, CAST("{at}" AS DATE) FROM {_rows(table, part)} '
        f'WHERE currency IS NOT NULL AND "{at}" IS NOT NULL AND NOT deleted'
        for table in tables
        if (at := dated(table))
    )


def fact(table: Table, *, part: bool = False) -> Iterator[str]:
    """Facts of known persons and companies, linked, in place of what stood; in part they stand in
    `made_<table>`, too."""
    name = table.name
    columns = ", ".join(f'{_column(table, one.name)} AS "{one.name}"' for one in table.fields)
    rates, at = "", dated(table)
    if at:
        rates = f'LEFT JOIN rate r ON r.currency = s.currency AND r.day = CAST(s."{at}" AS DATE)'
    order = 'ORDER BY s."at"' if table.field("at") else ""
    links = LINKS.format(record_map="named_record" if part else "record_map")
    made = f"""
        SELECT {PERSON} AS contact_id, {COMPANY} AS account_id, s.source, s.source_id,
               s.record_key, {columns}
        FROM {_rows(table, part)} s {links} {rates}
        WHERE NOT s.deleted AND coalesce({PERSON}, {COMPANY}) IS NOT NULL {order}
    """
    if part:
        yield f'DELETE FROM "{name}" WHERE rowid IN (SELECT place FROM gone_{name})'
        yield f"CREATE OR REPLACE TEMP TABLE made_{name} AS {made}"
        yield f'INSERT INTO "{name}" FROM made_{name}'
    else:
        yield f'DELETE FROM "{name}"'
        yield f'INSERT INTO "{name}" {made}'


def owners(table: Table) -> str:
    """Whose the facts of `reach_<table>` were and are; after `fact` in part."""
    columns = "SELECT contact_id, account_id"
    return f"{columns} FROM gone_{table.name} UNION {columns} FROM made_{table.name}"


def spans(*, part: bool = False) -> str:
    """Keep first and last activity on the contact: windows without an end read it.

    Of all contacts, or of those in `active(id)`.
    """
    among = "active" if part else "(SELECT contact_id AS id FROM contact)"
    only = "WHERE contact_id IN (SELECT id FROM active)" if part else ""
    return f"""
        UPDATE contact SET first_event_at = span.first_at, last_event_at = span.last_at FROM (
            SELECT a.id, e.first_at, e.last_at FROM {among} a LEFT JOIN (
                SELECT contact_id AS id, min("at") AS first_at, max("at") AS last_at
                FROM event {only} GROUP BY contact_id
            ) e USING (id)
        ) span WHERE span.id = contact.contact_id AND (
            contact.first_event_at IS DISTINCT FROM span.first_at
            OR contact.last_event_at IS DISTINCT FROM span.last_at)
    """


def _rows(table: Table, part: bool) -> str:
    return f"read_{table.name}" if part else f"source_{table.name}"


def _column(table: Table, name: str) -> str:
    field = table.field(name)
    if dated(table) and field is not None and field.type == "money":
        return (
            "CASE WHEN s.currency IS NULL OR s.currency = getvariable('company_currency') "
            f'THEN s."{name}" ELSE CAST(s."{name}" * r.rate AS DECIMAL(18,2)) END'
        )
    if dated(table) and name == "currency":
        return "getvariable('company_currency')"
    return f's."{name}"'
