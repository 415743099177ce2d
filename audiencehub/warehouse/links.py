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
    {only} GROUP BY m.id
"""
BY_MAIL = """
    SELECT c.contact_id AS id, d.account_id FROM contact c JOIN (
        SELECT domain, min(account_id) AS account_id
        FROM account WHERE domain IS NOT NULL GROUP BY domain
    ) d ON d.domain = c.company_domain
    WHERE c.company_domain NOT IN (SELECT unnest($free::VARCHAR[])) {only}
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
    _link(connection, free, said="", mail="")


def link_part(connection: Connection, free: Sequence[str]) -> None:
    """The same for the contacts of `part_contact`, which have none yet, and for those whose company
    or its domain `moved` and `sited` name; who of them changes company joins `part_contact`.

    Reads `left_account(id, account_id)`, the companies before; adds those of the others to it.
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE relink AS
        SELECT id FROM part_contact
        UNION SELECT m.id FROM source_contact s
        SEMI JOIN (SELECT source, source_id FROM moved
                   WHERE entity = 'account' AND before IS DISTINCT FROM after) a
          ON a.source = s.source AND a.source_id = s.account_ref
        JOIN record_map m ON m.entity = 'contact'
          AND m.source = s.source AND m.source_id = s.source_id
        UNION SELECT contact_id FROM contact SEMI JOIN sited ON domain = company_domain
        """
    )
    insert(
        connection,
        "left_account",
        "SELECT contact_id, account_id FROM contact "
        "WHERE contact_id IN (SELECT id FROM relink EXCEPT SELECT id FROM part_contact)",
    )
    _link(
        connection,
        free,
        said="WHERE m.id IN (SELECT id FROM relink)",
        mail="AND c.contact_id IN (SELECT id FROM relink)",
    )
    insert(
        connection,
        "part_contact",
        "SELECT id FROM left_account l JOIN contact c "
        "ON c.contact_id = l.id WHERE c.account_id IS DISTINCT FROM l.account_id "
        "EXCEPT SELECT id FROM part_contact",
    )


def _link(connection: Connection, free: Sequence[str], *, said: str, mail: str) -> None:
    """Contacts outside of `said` and `mail` keep what they have."""
    among = "SELECT id FROM relink" if said else "SELECT contact_id AS id FROM contact"
    connection.execute(
        f"""
        UPDATE contact SET account_id = found.account_id FROM (
            SELECT id, coalesce(said.account_id, by_mail.account_id) AS account_id
            FROM ({among}) LEFT JOIN ({SAID.format(only=said)}) said USING (id)
            LEFT JOIN ({BY_MAIL.format(only=mail)}) by_mail USING (id)
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
