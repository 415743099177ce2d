"""A ledger and a warehouse with nothing but contacts and accounts as sources say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb

from audiencehub.identity.journal import journal
from audiencehub.identity.match import match
from audiencehub.identity.policy import accounts, contacts
from audiencehub.ledger import Ledger
from audiencehub.settings import Identity
from audiencehub.warehouse import touched
from audiencehub.warehouse.schema import statements

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


class Desk:
    """Records in, persons out, a run at a time."""

    def __init__(self, folder, **settings):
        self.ledger = Ledger.open(folder)
        self.settings = Identity(**settings)
        self.runs = 0
        self.fresh()

    @property
    def now(self):
        return NOW + timedelta(hours=self.runs)

    def fresh(self):
        """An empty warehouse under the same ledger."""
        self.db = duckdb.connect()
        for statement in statements():
            self.db.execute(statement)

    def put(self, *records, table="contact"):
        """(source, source_id, values) of one page; a record that is known is replaced."""
        self.runs += 1
        for source, key, values in records:
            row = {"deleted": False, **values, "source": source, "source_id": key,
                   "manifest_id": self.runs}  # fmt: skip
            self.db.execute(
                "CREATE OR REPLACE TEMP TABLE page AS SELECT ? AS source, ? AS source_id",
                [source, key],
            )
            touched.record(self.db, table, "page")
            self.db.execute(
                f"DELETE FROM source_{table} WHERE source=? AND source_id=?", [source, key]
            )
            names = ", ".join(row)
            marks = ", ".join(f"${name}" for name in row)
            self.db.execute(
                f"INSERT INTO source_{table}({names}, record_key)"
                f" VALUES({marks}, hash($source, $source_id))",
                row,
            )

    def run(self, entity="contact"):
        """Match and journal; what was looked at."""
        self.runs += 1
        policy = contacts(self.settings) if entity == "contact" else accounts(self.settings, ())
        done = match(self.db, self.ledger, policy, self.now)
        journal(self.db, self.ledger, entity, f"run{self.runs}", self.now)
        self.db.execute('DELETE FROM touched_record WHERE "table" = ?', [entity])
        return done

    def persons(self, entity="contact"):
        """(source, source id) to person."""
        rows = self.db.execute(
            "SELECT source, source_id, id FROM identity_record WHERE entity=?", [entity]
        ).fetchall()
        return {(source, key): person for source, key, person in rows}

    def groups(self, entity="contact"):
        """Who is together, without ids."""
        found = {}
        for key, person in self.persons(entity).items():
            found.setdefault(person, set()).add(key)
        return {frozenset(one) for one in found.values()}

    def conflicts(self):
        return sorted(self.db.execute("SELECT own, kind, reason FROM identity_conflict").fetchall())

    def open_merges(self):
        return [(one.survivor, one.loser) for one in self.ledger.merges.open("contact")]

    def close(self):
        self.ledger.close()
        self.db.close()
