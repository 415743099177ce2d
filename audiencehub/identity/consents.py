"""What the sources say about consent, each word under the own ids of the records it speaks for.

Own ids, so that an undone merge takes its words along; and with the mark of what it stands on (a
record, an address, a customer number), so that a later word replaces an earlier one of the same
mark only, and of two merged people the stricter is heard.
"""

from __future__ import annotations

from datetime import UTC, datetime

from audiencehub.identity.keys import Connection, prepare
from audiencehub.ledger import Ledger
from audiencehub.ledger.consent import DecisionRow

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)
MARK = 16

SAID = """
    WITH record AS MATERIALIZED (
        SELECT r.own, r.id, r.source, r.source_id, s.email, s.external_id
        FROM {identity} r
        JOIN {contact} s USING ({same})
        WHERE r.entity = 'contact' AND NOT s.deleted
    ), spoken AS (
        SELECT c.purpose, c.channel, c.status, c.source, coalesce(c."at", c.observed_at) AS said_at,
               c.proof, c.contact_ref, c.contact_email, c.contact_external_id
        FROM {consent} c
        WHERE NOT c.deleted AND c.purpose IS NOT NULL AND c.status IS NOT NULL
    ), found AS (
        SELECT r.own, r.id, 'record' AS kind, s.contact_ref AS value, s.*
        FROM spoken s JOIN record r ON r.source = s.source AND r.source_id = s.contact_ref
        UNION ALL
        SELECT r.own, r.id, 'email', s.contact_email, s.*
        FROM spoken s JOIN record r ON r.email = s.contact_email
        UNION ALL
        SELECT r.own, r.id, 'external_id', s.contact_external_id, s.*
        FROM spoken s JOIN record r ON r.external_id = s.contact_external_id
    ), sole AS (
        SELECT kind, value FROM found GROUP BY kind, value HAVING count(DISTINCT id) = 1
    )
    SELECT own, purpose, channel, status, source, said_at, proof, kind, value
    FROM found
    WHERE status <> 'granted' OR kind = 'record'
       OR (kind, value) IN (SELECT (kind, value) FROM sole)
    ORDER BY ALL
"""
"""An address that several people have denies for each of them, and grants for none."""


WHOLE = {
    "identity": "identity_record",
    "contact": "source_contact",
    "consent": "source_consent",
    "same": "source, source_id",
}
PART = {
    "identity": "heard_identity",
    "contact": "heard_contact",
    "consent": "heard_consent",
    "same": "record_key",
}
FEW = """
    CREATE OR REPLACE TEMP TABLE heard_consent AS
        SELECT c.* FROM source_consent c
        JOIN (SELECT place FROM reach_consent WHERE NOT deleted) p ON p.place = c.rowid;
    CREATE OR REPLACE TEMP TABLE heard AS
        SELECT hash(source, contact_ref) AS record_key FROM heard_consent
        WHERE contact_ref IS NOT NULL
        UNION SELECT record_key FROM source_contact WHERE email IN (
            SELECT contact_email FROM heard_consent WHERE contact_email IS NOT NULL)
        UNION SELECT record_key FROM source_contact WHERE external_id IN (
            SELECT contact_external_id FROM heard_consent WHERE contact_external_id IS NOT NULL);
    CREATE OR REPLACE TEMP TABLE heard_place AS SELECT rowid AS place FROM identity_record
        WHERE record_key IN (FROM heard);
    CREATE OR REPLACE TEMP TABLE heard_identity AS
        SELECT r.* FROM identity_record r JOIN heard_place p ON p.place = r.rowid
"""
"""What the rows of `reach_consent` say and of whom, found by number and read alone."""


NAMED = """
    CREATE OR REPLACE TEMP TABLE heard_place AS SELECT rowid AS place FROM source_contact
        WHERE record_key IN (FROM heard);
    CREATE OR REPLACE TEMP TABLE heard_contact AS
        SELECT record_key, email, external_id, deleted FROM source_contact s
        JOIN heard_place p ON p.place = s.rowid
"""
UNNAMED = """
    CREATE OR REPLACE TEMP TABLE heard_contact AS
        SELECT record_key, CAST(NULL AS VARCHAR) AS email, CAST(NULL AS VARCHAR) AS external_id,
               deleted
        FROM source_contact WHERE record_key IN (FROM heard)
"""
"""Text of the contacts only where a word names them by it."""


def _few(connection: Connection) -> None:
    connection.execute(FEW)
    ((named,),) = connection.execute(
        "SELECT count(contact_email) + count(contact_external_id) FROM heard_consent"
    ).fetchall()
    connection.execute(NAMED if named else UNNAMED)


def decisions(connection: Connection, ledger: Ledger, *, part: bool = False) -> list[DecisionRow]:
    """Every decision of a known person, as `ledger.consent.record` takes them.

    `part`: only those that the rows of `reach_consent` say; what stands on one address or number
    comes whole, for it is reached whole.
    """
    prepare(connection)
    if part:
        _few(connection)
    rows: list[DecisionRow] = []
    marks: dict[tuple[str, str], str] = {}
    for own, purpose, channel, status, source, at, proof, kind, value in connection.execute(
        SAID.format(**(PART if part else WHOLE))
    ).fetchall():
        # A word that nobody agreed upon takes back what was granted before: unknown is no.
        word = "granted" if status == "granted" else "denied"
        # Without a date a denial outlasts every grant, and a grant yields to any denial.
        undated = LONG_AGO if word == "granted" else FOR_EVER
        when = at.replace(tzinfo=UTC) if at is not None else undated
        mark = marks.get((kind, value))
        if mark is None:
            mark = marks[kind, value] = ledger.sealing.digest({kind: value})[:MARK]
        rows.append((own, purpose, channel or "any", word, source, when, proof, mark))
    return rows
