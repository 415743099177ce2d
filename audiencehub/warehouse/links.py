"""Whose company a person is with: what the CRM says, else the company of the business domain."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from audiencehub.warehouse.insert import insert

Connection = duckdb.DuckDBPyConnection
SAID = """
    SELECT m.id,
           arg_min(a.id, (coalesce(p.priority, 1000), s.source, s.source_id)) AS account_id
    FROM source_contact s
    JOIN record_map m ON m.entity = 'contact'
      AND m.source = s.source AND m.source_id = s.source_id
    JOIN record_map a ON a.entity = 'account'
      AND a.source = s.source AND a.source_id = s.account_ref
    LEFT JOIN source_policy p ON p.source = s.source
    GROUP BY m.id
"""
SAID_IN_PART = """
    SELECT s.id, arg_min(a.id, (coalesce(p.priority, 1000), s.source, s.source_id)) AS account_id
    FROM said_ref s
    JOIN said_company a ON a.source = s.source AND a.source_id = s.account_ref
    LEFT JOIN source_policy p ON p.source = s.source
    GROUP BY s.id
"""
BY_MAIL = """
    SELECT c.contact_id AS id, d.account_id FROM {contact} c JOIN (
        SELECT domain, min(account_id) AS account_id
        FROM account WHERE domain IS NOT NULL {domains} GROUP BY domain
    ) d ON d.domain = c.company_domain
    WHERE c.company_domain NOT IN (SELECT unnest($free::VARCHAR[]))
"""

MOVED_BETWEEN = """
    SELECT unnest([l.account_id, c.account_id])
    FROM (SELECT id, account_id FROM left_account
          WHERE id IN (SELECT id FROM part_contact)) l
    FULL JOIN (SELECT contact_id AS id, account_id FROM contact
               WHERE contact_id IN (SELECT id FROM part_contact)) c USING (id)
    WHERE l.account_id IS DISTINCT FROM c.account_id
"""
"""Companies that somebody of `part_contact` has left or come to."""


def link_all(connection: Connection, free: Sequence[str]) -> None:
    """Fill `contact.account_id`. Domains in `free` name no company."""
    mail = BY_MAIL.format(contact="contact", domains="")
    _link(connection, free, among="SELECT contact_id AS id FROM contact", said=SAID, mail=mail)


def link_part(connection: Connection, free: Sequence[str]) -> None:
    """The same for the contacts of `part_contact`, which have none yet, and for those whose company
    or its domain `moved` and `sited` name; who of them changes company joins `part_contact`.

    Reads `left_account(id, account_id)`, the companies before; adds those of the others to it.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE relink AS SELECT id FROM part_contact")
    others = insert(connection, "relink", f"{OTHERS} EXCEPT SELECT id FROM part_contact")
    if not connection.execute("SELECT 1 FROM relink LIMIT 1").fetchall():
        return
    if others:
        insert(
            connection,
            "left_account",
            "SELECT contact_id, account_id FROM contact "
            "WHERE contact_id IN (SELECT id FROM relink EXCEPT SELECT id FROM part_contact)",
        )
    _refer(connection, others=bool(others))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE mail_place AS SELECT rowid AS place FROM contact "
        "WHERE contact_id IN (SELECT id FROM relink)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE mail_domain AS SELECT contact_id, company_domain "
        "FROM contact c JOIN mail_place p ON p.place = c.rowid WHERE company_domain IS NOT NULL"
    )
    mail = BY_MAIL.format(
        contact="mail_domain", domains="AND domain IN (SELECT company_domain FROM mail_domain)"
    )
    _link(connection, free, among="SELECT id FROM relink", said=SAID_IN_PART, mail=mail)
    if others:
        insert(
            connection,
            "part_contact",
            "SELECT id FROM left_account l JOIN contact c "
            "ON c.contact_id = l.id WHERE c.account_id IS DISTINCT FROM l.account_id "
            "EXCEPT SELECT id FROM part_contact",
        )


OTHERS = """
    SELECT m.id FROM source_contact s JOIN record_map m USING (record_key)
    WHERE m.entity = 'contact' AND s.account_key IN (
        SELECT record_key FROM moved WHERE entity = 'account' AND before IS DISTINCT FROM after)
    UNION SELECT contact_id FROM contact SEMI JOIN sited ON domain = company_domain
"""


def _refer(connection: Connection, *, others: bool) -> None:
    """Fill `said_ref` with the companies that the records of `relink` name, and `said_company` with
    the companies of these names. The records of `part_contact` stand in `read_contact`."""
    known = connection.execute("SELECT 1 FROM part_contact LIMIT 1").fetchall()
    parts = []
    if known:
        parts.append(
            "SELECT whose AS id, source, source_id, account_ref FROM read_contact "
            "WHERE account_ref IS NOT NULL"
        )
    if others:
        parts.append(
            "SELECT m.id, s.source, s.source_id, s.account_ref FROM source_contact s "
            "JOIN record_map m USING (record_key) WHERE m.entity = 'contact' AND m.id IN "
            "(SELECT id FROM relink EXCEPT SELECT id FROM part_contact) "
            "AND s.account_ref IS NOT NULL"
        )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE said_ref AS {' UNION ALL '.join(parts)}")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE said_place AS SELECT rowid AS place FROM record_map "
        "WHERE entity = 'account' AND record_key IN "
        "(SELECT hash(source, account_ref) FROM said_ref)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE said_company AS SELECT m.source, m.source_id, m.id "
        "FROM record_map m JOIN said_place p ON p.place = m.rowid"
    )


def _link(connection: Connection, free: Sequence[str], *, among: str, said: str, mail: str) -> None:
    """Contacts that are not `among` these keep what they have."""
    connection.execute(
        f"""
        UPDATE contact SET account_id = found.account_id FROM (
            SELECT id, coalesce(said.account_id, by_mail.account_id) AS account_id
            FROM ({among}) LEFT JOIN ({said}) said USING (id)
            LEFT JOIN ({mail}) by_mail USING (id)
        ) found WHERE found.id = contact.contact_id
          AND contact.account_id IS DISTINCT FROM found.account_id
        """,
        {"free": list(free)},
    )


def remember(connection: Connection) -> None:
    """Fill `left_account` with the companies of `part_contact`; before they are made anew."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE left_account AS SELECT contact_id AS id, account_id "
        "FROM contact WHERE contact_id IN (SELECT id FROM part_contact)"
    )
