"""SQL that makes profiles and facts from source rows: survivorship, links, conversion.

Which of several values stands is said in `provenance`. Reads the temporary table `rate` that the
resolve step fills, and the variables `company_currency` and `known_at`.
"""

from __future__ import annotations

from collections.abc import Iterable

from audiencehub.canonical import Table
from audiencehub.warehouse import provenance
from audiencehub.warehouse.provenance import Policy

DAY_OF_RATE = ("at", "created_at", "started_at")
"""Where a fact has several dates, the one whose day decides the rate of its money."""


def dated(table: Table) -> str | None:
    """The field whose day decides the rate of a fact's money; None: nothing to convert."""
    if not table.field("currency") or not any(one.type == "money" for one in table.fields):
        return None
    dates = [one.name for one in table.fields if one.type in ("instant", "date")]
    return next((name for name in DAY_OF_RATE if name in dates), dates[0] if dates else None)


KEYS = """
    mail AS (
        SELECT s.email AS key, min(m.id) AS id
        FROM source_contact s JOIN record_map m
          ON m.entity = 'contact' AND m.source = s.source AND m.source_id = s.source_id
        WHERE s.email IS NOT NULL GROUP BY s.email HAVING count(DISTINCT m.id) = 1
    ), number AS (
        SELECT s.external_id AS key, min(m.id) AS id
        FROM source_contact s JOIN record_map m
          ON m.entity = 'contact' AND m.source = s.source AND m.source_id = s.source_id
        WHERE s.external_id IS NOT NULL GROUP BY s.external_id HAVING count(DISTINCT m.id) = 1
    ), site AS (
        SELECT domain AS key, min(account_id) AS id
        FROM account WHERE domain IS NOT NULL GROUP BY domain
    )
"""
"""Natural keys that name exactly one person or company."""
LINKS = """
    LEFT JOIN record_map by_ref ON by_ref.entity = 'contact'
      AND by_ref.source = s.source AND by_ref.source_id = s.contact_ref
    LEFT JOIN mail by_email ON by_email.key = s.contact_email
    LEFT JOIN number by_number ON by_number.key = s.contact_external_id
    LEFT JOIN record_map account_ref ON account_ref.entity = 'account'
      AND account_ref.source = s.source AND account_ref.source_id = s.account_ref
    LEFT JOIN site account_domain ON account_domain.key = s.account_domain
"""
PERSON = "coalesce(by_ref.id, by_email.id, by_number.id)"
COMPANY = "coalesce(account_ref.id, account_domain.id)"

LINK_CONTACTS = """
    UPDATE contact SET account_id = found.account_id FROM (
        WITH said AS (
            SELECT m.id,
                   arg_min(a.id, (coalesce(p.priority, 1000), s.source, s.source_id)) AS account_id
            FROM source_contact s
            JOIN record_map m ON m.entity = 'contact'
              AND m.source = s.source AND m.source_id = s.source_id
            JOIN record_map a ON a.entity = 'account'
              AND a.source = s.source AND a.source_id = s.account_ref
            LEFT JOIN source_policy p ON p.source = s.source
            GROUP BY m.id
        ), by_domain AS (
            SELECT domain, min(account_id) AS account_id
            FROM account WHERE domain IS NOT NULL GROUP BY domain
        ), by_mail AS (
            SELECT c.contact_id AS id, d.account_id
            FROM contact c JOIN by_domain d ON d.domain = c.company_domain
            WHERE c.company_domain NOT IN (SELECT unnest($free::VARCHAR[]))
        )
        SELECT coalesce(said.id, by_mail.id) AS id,
               coalesce(said.account_id, by_mail.account_id) AS account_id
        FROM said FULL JOIN by_mail ON said.id = by_mail.id
    ) found WHERE found.id = contact.contact_id
"""
"""Each contact's account: what its CRM says, else the company of its business e-mail domain."""
ACTIVITY_SPAN = """
    UPDATE contact SET first_event_at = span.first_at, last_event_at = span.last_at FROM (
        SELECT contact_id, min("at") AS first_at, max("at") AS last_at
        FROM event WHERE contact_id IS NOT NULL GROUP BY contact_id
    ) span WHERE span.contact_id = contact.contact_id
"""
"""First and last activity, kept on the contact: windows without an end read it."""


def record_map() -> str:
    """Which record is which person or company; only records that exist at their source."""
    kinds = " UNION ALL ".join(
        f"SELECT source, source_id, '{name}' AS entity, "
        f"coalesce(record_kind, '{name}') AS kind, deleted FROM source_{name}"
        for name in ("contact", "account")
    )
    return f"""
        INSERT INTO record_map
        SELECT m.source, m.source_id, m.entity, k.kind, m.id
        FROM stage_map m JOIN ({kinds}) k USING (source, source_id, entity)
        WHERE NOT k.deleted
    """


def entity(table: Table, policy: Policy) -> str:
    """One row per person or company that has a live record; an account's parent comes later."""
    name = table.name
    columns = []
    for field in table.fields:
        if field.name == "created_at":
            columns.append("min(created_at)")
        elif field.name == "last_seen_at":
            columns.append("max(observed_at)")
        elif field.name in provenance.COMPUTED:
            columns.append("NULL")
        else:
            place = provenance.place(policy, name, field.name)
            columns.append(f'arg_min("{field.name}", {place}) FILTER (NOT expired)')
    return f"""
        INSERT INTO {name} WITH ranked AS ({provenance.ranked(table, policy)})
        SELECT id, NULL, {", ".join(columns)} FROM ranked GROUP BY id ORDER BY id
    """


def currency_days(tables: Iterable[Table]) -> str:
    """Every (currency, day) that a fact with money has."""
    return " UNION ".join(
        f'SELECT currency, CAST("{at}" AS DATE) FROM source_{table.name} '
        f'WHERE currency IS NOT NULL AND "{at}" IS NOT NULL AND NOT deleted'
        for table in tables
        if (at := dated(table))
    )


def fact(table: Table) -> str:
    """Facts of known persons and companies, linked; money in the company's currency."""
    name = table.name
    columns = ", ".join(_column(table, field.name) for field in table.fields)
    rates, at = "", dated(table)
    if at:
        rates = f'LEFT JOIN rate r ON r.currency = s.currency AND r.day = CAST(s."{at}" AS DATE)'
    order = 'ORDER BY s."at"' if table.field("at") else ""
    return f"""
        INSERT INTO "{name}" WITH {KEYS}
        SELECT {PERSON} AS contact_id, {COMPANY} AS account_id, s.source, s.source_id, {columns}
        FROM source_{name} s {LINKS} {rates}
        WHERE NOT s.deleted AND coalesce({PERSON}, {COMPANY}) IS NOT NULL {order}
    """


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
