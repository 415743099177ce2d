"""SQL that makes facts from source rows: whose they are, and money in the company's currency.

Reads the temporary tables `rate`, that the resolve step fills, and `named_email`,
`named_external_id` and `named_domain`, and the variable `company_currency`. Every statement comes
whole, or for the rows of `reach_<table>` only, with the same result for these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audiencehub.canonical import Table

DAY_OF_RATE = ("at", "created_at", "started_at")
"""Where a fact has several dates, the one whose day decides the rate of its money."""
LINKS = """
    LEFT JOIN record_map by_ref ON by_ref.entity = 'contact'
      AND by_ref.source = s.source AND by_ref.source_id = s.contact_ref
    LEFT JOIN named_email by_email ON by_email.key = s.contact_email
    LEFT JOIN named_external_id by_number ON by_number.key = s.contact_external_id
    LEFT JOIN record_map account_ref ON account_ref.entity = 'account'
      AND account_ref.source = s.source AND account_ref.source_id = s.account_ref
    LEFT JOIN named_domain account_domain ON account_domain.key = s.account_domain
"""
PERSON = "coalesce(by_ref.id, by_email.id, by_number.id)"
COMPANY = "coalesce(account_ref.id, account_domain.id)"
NAMES = {"email": "contact_email", "external_id": "contact_external_id"}
"""Natural keys of a person, and the link of a fact that says one."""


def dated(table: Table) -> str | None:
    """The field whose day decides the rate of a fact's money; None: nothing to convert."""
    if not table.field("currency") or not any(one.type == "money" for one in table.fields):
        return None
    dates = [one.name for one in table.fields if one.type in ("instant", "date")]
    return next((name for name in DAY_OF_RATE if name in dates), dates[0] if dates else None)


def naming(tables: Iterable[Table], *, part: bool = False) -> Iterator[str]:
    """Fill the tables of natural keys that name exactly one person or company."""
    listed = list(tables)
    for key, link in NAMES.items():
        asked = " UNION ".join(
            f"SELECT {link} FROM source_{one.name} s "
            f"SEMI JOIN reach_{one.name} USING (source, source_id)"
            for one in listed
        )
        only = f"AND s.{key} IN ({asked})" if part else ""
        yield f"""
            CREATE OR REPLACE TEMP TABLE named_{key} AS
            SELECT s.{key} AS key, min(m.id) AS id
            FROM source_contact s JOIN record_map m
              ON m.entity = 'contact' AND m.source = s.source AND m.source_id = s.source_id
            WHERE s.{key} IS NOT NULL {only} GROUP BY s.{key} HAVING count(DISTINCT m.id) = 1
        """
    yield """
        CREATE OR REPLACE TEMP TABLE named_domain AS
        SELECT domain AS key, min(account_id) AS id
        FROM account WHERE domain IS NOT NULL GROUP BY domain
    """


def currency_days(tables: Iterable[Table], *, part: bool = False) -> str:
    """Every (currency, day) that a fact with money has."""
    return " UNION ".join(
        f'SELECT currency, CAST("{at}" AS DATE) FROM source_{table.name} {_among(table, part)} '
        f'WHERE currency IS NOT NULL AND "{at}" IS NOT NULL AND NOT deleted'
        for table in tables
        if (at := dated(table))
    )


def fact(table: Table, *, part: bool = False) -> Iterator[str]:
    """Facts of known persons and companies, linked, in place of what stood."""
    name = table.name
    columns = ", ".join(_column(table, field.name) for field in table.fields)
    rates, at = "", dated(table)
    if at:
        rates = f'LEFT JOIN rate r ON r.currency = s.currency AND r.day = CAST(s."{at}" AS DATE)'
    order = 'ORDER BY s."at"' if table.field("at") else ""
    if part:
        yield (
            f'DELETE FROM "{name}" t USING reach_{name} r '
            "WHERE r.source = t.source AND r.source_id = t.source_id"
        )
    else:
        yield f'DELETE FROM "{name}"'
    yield f"""
        INSERT INTO "{name}"
        SELECT {PERSON} AS contact_id, {COMPANY} AS account_id, s.source, s.source_id, {columns}
        FROM (SELECT * FROM source_{name} {_among(table, part)} WHERE NOT deleted) s
        {LINKS} {rates}
        WHERE coalesce({PERSON}, {COMPANY}) IS NOT NULL {order}
    """


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


def _among(table: Table, part: bool) -> str:
    return f"SEMI JOIN reach_{table.name} USING (source, source_id)" if part else ""


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
