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
    WITH record AS {materialized} (
        SELECT r.own, r.id, r.source, r.source_id, s.email, s.external_id
        FROM identity_record r
        JOIN source_contact s ON s.source = r.source AND s.source_id = r.source_id
        WHERE r.entity = 'contact' AND NOT s.deleted
    ), spoken AS (
        SELECT c.purpose, c.channel, c.status, c.source, coalesce(c."at", c.observed_at) AS said_at,
               c.proof, c.contact_ref, c.contact_email, c.contact_external_id
        FROM source_consent c {among}
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


PART = "SEMI JOIN reach_consent USING (source, source_id)"


def decisions(connection: Connection, ledger: Ledger, *, part: bool = False) -> list[DecisionRow]:
    """Every decision of a known person, as `ledger.consent.record` takes them.

    `part`: only those that the rows of `reach_consent` say; what stands on one address or number
    comes whole, for it is reached whole.
    """
    prepare(connection)
    rows: list[DecisionRow] = []
    marks: dict[tuple[str, str], str] = {}
    for own, purpose, channel, status, source, at, proof, kind, value in connection.execute(
        SAID.format(
            among=PART if part else "", materialized="NOT MATERIALIZED" if part else "MATERIALIZED"
        )
    ).fetchall():
        # Without a date a denial outlasts every grant, and a grant yields to any denial.
        undated = LONG_AGO if status == "granted" else FOR_EVER
        when = at.replace(tzinfo=UTC) if at is not None else undated
        mark = marks.get((kind, value))
        if mark is None:
            mark = marks[kind, value] = ledger.sealing.digest({kind: value})[:MARK]
        rows.append((own, purpose, channel or "any", status, source, when, proof, mark))
    return rows
