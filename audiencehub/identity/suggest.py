"""Suggest: persons who may be one go into a queue; nobody is joined without somebody's word."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from audiencehub.canonical import CONTACT
from audiencehub.identity.keys import Connection
from audiencehub.identity.linkage import GROUPS, Pair, pairs
from audiencehub.ledger import Ledger
from audiencehub.ledger.candidates import Candidate

DERIVED = {"company": "CAST(c.account_id AS VARCHAR)"}


def refresh(connection: Connection, ledger: Ledger, now: datetime) -> int:
    """Look at all persons anew and replace the open suggestions; how many there are.

    What somebody has rejected, accepted or parted is not suggested again. Raises ConfigError where
    splink is not installed.
    """
    known = {frozenset((one.keeps, one.goes)) for one in ledger.merges.separations("contact")}
    known |= {frozenset((low, high)) for _, low, high in ledger.merges.manual("contact")}
    found = [
        Candidate(one.left, one.right, one.score, one.fields)
        for one in persons(connection)
        if frozenset((one.left, one.right)) not in known
    ]
    ledger.candidates.replace("contact", found, now)
    return len(ledger.candidates.waiting("contact"))


def persons(connection: Connection) -> list[Pair]:
    """Likely pairs among the persons of a warehouse, by contact id."""
    names = [name for columns in GROUPS.values() for name in columns]
    columns = [
        f'{DERIVED.get(name, f"CAST(c.{name} AS VARCHAR)")} AS "{name}"'
        for name in names
        if name in DERIVED or CONTACT.field(name)
    ]
    table: pa.Table = (
        connection.cursor()
        .sql(
            f"""
        SELECT c.contact_id AS own, m.sources AS source, {", ".join(columns)}
        FROM contact c JOIN (
            SELECT id, string_agg(DISTINCT source, '+' ORDER BY source) AS sources
            FROM record_map WHERE entity = 'contact' GROUP BY id
        ) m ON m.id = c.contact_id ORDER BY 1
        """
        )
        .to_arrow_table()
    )
    return pairs(table)
