"""Suppression by identifier: people on the list go nowhere, those who appear later as well."""

from __future__ import annotations

from datetime import datetime

import duckdb

from audiencehub.ledger import Ledger
from audiencehub.privacy.forgotten import spelled

KINDS = ("email", "phone", "external_id")


def withhold(connection: duckdb.DuckDBPyConnection, ledger: Ledger, now: datetime) -> int:
    """Suppress everybody with a listed identifier on any of their records; how many are new.

    The list holds keyed digests alone, so that each record's identifiers are digested and looked
    up. Nothing is read while the list is empty.
    """
    marks = ledger.consent.marks()
    if not marks:
        return 0
    listed = {one.kind for one in marks.values()}
    found: dict[int, str] = {}
    for number, *values in connection.execute(
        "SELECT DISTINCT m.id, s.email, s.phone, s.external_id FROM source_contact s"
        " JOIN record_map m ON m.source = s.source AND m.source_id = s.source_id"
        " AND m.entity = 'contact' WHERE NOT s.deleted"
    ).fetchall():
        for kind, value in zip(KINDS, values, strict=True):
            text = spelled(kind, value) if kind in listed else None
            mark = ledger.sealing.mark(text) if text else None
            if mark in marks:
                found.setdefault(number, str(mark))
    new = sorted(found.keys() - ledger.consent.suppressed("contact"))
    for number in new:
        one = marks[found[number]]
        ledger.consent.suppress(
            "contact", [number], one.reason, one.who, now, hmacs=[found[number]]
        )
    return len(new)
