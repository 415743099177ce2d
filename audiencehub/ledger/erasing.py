"""Erasing: a person's rows keep their place in the ledger and lose what names the person.

Counts, states and times stay, so that what was done can still be shown; record ids become the
person's HMAC id, values and reasons go. `scour` leaves none of the old bytes in the files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from audiencehub.errors import Wait
from audiencehub.ledger.db import Database
from audiencehub.ledger.manifests import FileEntry
from audiencehub.ledger.resyncs import CONFIRMED_OUT
from audiencehub.ledger.stamps import document

Member = tuple[str, str]
"""(target, member)."""
_OWNS = "(SELECT value FROM json_each(?1))"
_NAMED = (
    "EXISTS(SELECT 1 FROM json_each(?2) j WHERE j.value->>0 = t.target AND j.value->>1 = t.member)"
)
FORGOTTEN = "forgotten"
_ADDS = "SELECT 1 FROM intent i WHERE i.target=t.target AND i.member=t.member AND i.op='add'"
_NOT_REFUSED = (
    f"(NOT EXISTS({_ADDS}) OR EXISTS({_ADDS} AND i.state IN ('confirmed','sent','unknown')"
    f" AND i.seq > {CONFIRMED_OUT}))"
)
"""Of a `sent_identifier` t: nothing is known of its adds, or one of them may stand."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The last that is known of a person at one target."""

    target: str
    op: str
    """`add`, `set` or `remove`."""
    state: str
    proof: str
    """Without the id of the record."""
    at: str


class Erasing:
    """What the ledger holds of a person, over its tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def members(self, owns: Collection[int]) -> set[Member]:
        """(target, member) under which the person was ever planned, sent or believed."""
        found = self._db.rows(
            f"SELECT target, member FROM believed WHERE person IN {_OWNS} AND {_of_people()}"
            f" UNION SELECT target, member FROM intent WHERE person IN {_OWNS}"
            f" AND {_of_people()}"
            " UNION SELECT p.target, c.member FROM plan_change c JOIN plan p USING (plan_id)"
            f" WHERE c.person IN {_OWNS} AND {_of_people('p', 'c')}",
            (document(sorted(owns)),),
        )
        return {(str(target), str(member)) for target, member in found}

    def records(self, owns: Collection[int]) -> list[tuple[str, str]]:
        """(source, record id) of these contact records, sorted."""
        found = self._db.rows(
            f"SELECT source, source_id FROM person WHERE entity='contact' AND id IN {_OWNS}"
            " ORDER BY 1, 2",
            (document(sorted(owns)),),
        )
        return [(str(source), str(record)) for source, record in found]

    def standing(self, members: Iterable[Member]) -> set[Member]:
        """Of these, those that a target is believed to hold, or whose outcome nobody knows; not who
        was only ever refused or never taken."""
        asked = document(sorted(members))
        found: set[Member] = set()
        for table, more in (
            ("believed", ""),
            ("sent_identifier", f" AND {_NOT_REFUSED}"),
            ("intent", " AND t.state IN ('sent','unknown')"),
        ):
            rows = self._db.rows(
                f"SELECT t.target, t.member FROM {table} t WHERE {_NAMED}{more}", ("", asked)
            )
            found |= {(str(target), str(member)) for target, member in rows}
        return found

    def traces(self, members: Iterable[Member]) -> list[Trace]:
        """The last settled intent of each of these members, by target."""
        found = []
        for target, member in sorted(members):
            row = self._db.row(
                "SELECT op, state, coalesce(proof, reason, ''), at FROM intent WHERE target=?"
                " AND member=? AND state IN ('confirmed','rejected','quarantined')"
                " ORDER BY seq DESC LIMIT 1",
                (target, member),
            )
            if row is not None:
                proof = str(row[2]).replace(member, "…")
                found.append(Trace(target, str(row[0]), str(row[1]), proof, str(row[3])))
        return found

    def rewritten(self, old: FileEntry, new: FileEntry, dropped: Collection[int]) -> None:
        """A landed file has another name and digest; what waited in quarantine goes or moves."""
        with self._db.transaction():
            self._db.run(
                "UPDATE manifest_file SET path=?, sha256=? WHERE path=?",
                (new.path, new.sha256, old.path),
            )
            gone = document([f"{old.path}:{number}" for number in sorted(dropped)])
            self._db.run(
                "DELETE FROM quarantine WHERE record_ref IN (SELECT value FROM json_each(?))",
                (gone,),
            )
            self._db.run(
                "UPDATE quarantine SET record_ref = ?1 || substr(record_ref, length(?2) + 1)"
                " WHERE substr(record_ref, 1, length(?2) + 1) = ?2 || ':'",
                (new.path, old.path),
            )

    def deidentify(
        self,
        person: str,
        owns: Collection[int],
        members: Collection[Member],
        records: Mapping[tuple[str, str], str],
    ) -> Counter[str]:
        """Rows changed, by table. `records`: (source, record id) to the HMAC that stands for it.

        A plan that waits or is half sent is void: it is made anew without the person.
        """
        ids, named = document(sorted(owns)), document(sorted(members))
        changed: Counter[str] = Counter()
        with self._db.transaction():
            for table, sql, values in (*_delivery(person, ids, named), *_identity(ids)):
                changed[table] += self._db.run(sql, values)
            changed["quarantine"] += self._quarantine(members)
            for (source, record), mark in records.items():
                changed["person"] += self._db.run(
                    "UPDATE person SET source_id=? WHERE entity='contact' AND source=?"
                    " AND source_id=?",
                    (f"hmac:{mark}", source, record),
                )
        return +changed

    def _quarantine(self, members: Collection[Member]) -> int:
        return sum(
            self._db.run("DELETE FROM quarantine WHERE source=? AND source_id=?", member)
            for member in sorted(members)
        )

    def scour(self) -> None:
        """Leave no byte of what was changed or deleted: in the file, or in the log beside it.

        Raises Wait when another process reads the ledger meanwhile; nothing is lost, and it may be
        asked again.
        """
        db = self._db
        # VACUUM writes a new file; what it freed must not stay in the log.
        db.run("VACUUM")
        found = db.row("PRAGMA wal_checkpoint(TRUNCATE)")
        if found is not None and found[0]:
            raise Wait(
                "Another process reads the ledger, so that its log cannot be emptied.",
                hint="Run the same command again when nothing else of audiencehub runs",
            )

    def cover(self) -> None:
        """From now on what is deleted in this connection is overwritten at once."""
        self._db.row("PRAGMA secure_delete=ON")


def _of_people(place: str = "", row: str = "") -> str:
    """Not a company's row: companies are numbered by themselves, and the person with the same
    number has nothing to do with them."""
    target, member = f"{place}.target".lstrip("."), f"{row}.member".lstrip(".")
    lists = f"({target} LIKE '%/list/%' AND {member} GLOB 'a[0-9]*')"
    return f"NOT ({target} LIKE '%/account/tags' OR {lists})"


def _delivery(person: str, ids: str, named: str) -> Sequence[tuple[str, str, tuple[str, ...]]]:
    theirs = f"((person IN {_OWNS} AND {_of_people('t', 't')}) OR {_NAMED})"
    planned = (
        "EXISTS(SELECT 1 FROM plan p WHERE p.plan_id = t.plan_id AND ("
        f"(t.person IN {_OWNS} AND {_of_people('p', 't')}) OR EXISTS(SELECT 1 FROM json_each(?2) j"
        " WHERE j.value->>0 = p.target AND j.value->>1 = t.member)))"
    )
    return [
        (
            "plan",
            "UPDATE plan SET state='void' WHERE state IN ('open','applying') AND plan_id IN"
            f" (SELECT t.plan_id FROM plan_change t WHERE {planned})",
            (ids, named),
        ),
        (
            "plan_change",
            "UPDATE plan_change AS t SET member=?3, person=NULL, value=NULL, sealed=NULL, why=''"
            f" WHERE {planned}",
            (ids, named, person),
        ),
        (
            "intent",
            "UPDATE intent AS t SET state=CASE state WHEN 'planned' THEN 'superseded' ELSE state"
            " END, proof=replace(proof, member, ?3), reason=replace(reason, member, ?3),"
            f" member=?3, person=NULL, value=NULL, why='' WHERE {theirs}",
            (ids, named, person),
        ),
        ("hand_edit", f"DELETE FROM hand_edit AS t WHERE {_NAMED}", ("", named)),
        ("sent_identifier", f"DELETE FROM sent_identifier AS t WHERE {_NAMED}", ("", named)),
    ]


def _identity(ids: str) -> Sequence[tuple[str, str, tuple[str, ...]]]:
    theirs = f"entity='contact' AND id IN {_OWNS}"
    kept = " AND reason NOT LIKE 'merged_%' AND reason <> 'unmerged'"
    return [
        ("membership", f"DELETE FROM membership WHERE {theirs}", (ids,)),
        ("membership_kept", f"DELETE FROM membership_kept WHERE {theirs}", (ids,)),
        (
            "membership_log",
            f"UPDATE membership_log SET reason='{FORGOTTEN}' WHERE {theirs}{kept}",
            (ids,),
        ),
        (
            "consent_decision",
            f"UPDATE consent_decision SET proof=NULL WHERE person_id IN {_OWNS}",
            (ids,),
        ),
        (
            "merge_journal",
            "UPDATE merge_journal SET evidence='[]', reason='', undone_reason=NULL"
            f" WHERE entity='contact' AND (survivor IN {_OWNS} OR loser IN {_OWNS})",
            (ids,),
        ),
        (
            "separation",
            "UPDATE separation SET reason='' WHERE entity='contact'"
            f" AND (keeps IN {_OWNS} OR goes IN {_OWNS})",
            (ids,),
        ),
        (
            "merge_candidate",
            f"DELETE FROM merge_candidate WHERE entity='contact' AND (low IN {_OWNS}"
            f" OR high IN {_OWNS})",
            (ids,),
        ),
    ]
