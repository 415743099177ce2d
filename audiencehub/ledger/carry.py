"""Memberships through merges: nobody enters or leaves a segment because two records were joined.

A merge closes the loser's membership (`merged_into`) and gives it to the survivor, who has been in
since the earlier of the two. What each had before is kept, so that an undone merge restores it
(`unmerged`). Only what the rule says of the persons as they then stand is an event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audiencehub.ledger.db import Database
from audiencehub.ledger.membership import Membership
from audiencehub.ledger.stamps import instant, stamp

UNMERGED = "unmerged"


@dataclass(slots=True)
class Carried:
    """What undone merges mean for the memberships of one entity, until `settle` writes it."""

    entity: str
    restored: dict[str, dict[int, datetime]] = field(default_factory=dict)
    """Segment to person to since: parted persons who are in without entering, if they match."""
    parted: dict[int, set[int]] = field(default_factory=dict)
    """Person to those who were part of them and no longer are."""
    alone: dict[int, dict[str, datetime]] = field(default_factory=dict)
    """Parted person to the segments they had been in by themselves, and since when: `stay` keeps
    nobody in what only the merge had brought them."""

    def unmerged(self, segment: str, person: int, members: Iterable[int]) -> bool:
        """Whether the person is out because it is a parted one who is in now."""
        took = self.parted.get(person, set()) & self.restored.get(segment, {}).keys()
        return bool(took) and not took.isdisjoint(members)


class Carrying:
    """The membership_kept and carried_alias tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def carry(self, entity: str, run_id: str, at: datetime) -> Carried:
        """Hand memberships of merged persons to the survivors; what undone merges restore.

        Before memberships are compared with the rules; may be repeated.
        """
        with self._db.transaction():
            rows = self._db.rows(
                "SELECT m.segment, m.id, a.id, m.since, m.version, m.reason FROM membership m"
                " JOIN person_alias a ON a.entity=m.entity AND a.own=m.id WHERE m.entity=?"
                " ORDER BY m.segment, m.id",
                (entity,),
            )
            for segment, loser, survivor, since, version, reason in rows:
                new = self._hand(entity, segment, loser, survivor, (since, version, reason))
                self._log(entity, loser, segment, "left", at, run_id, f"merged_into {survivor}")
                if new:
                    why = f"merged_from {loser}"
                    self._log(entity, survivor, segment, "entered", at, run_id, why, version)
        return self._parted(entity)

    def _hand(
        self, entity: str, segment: str, loser: int, survivor: int, what: tuple[Any, ...]
    ) -> bool:
        """Whether the survivor had not been in."""
        db, key = self._db, (entity, segment)
        keep = "INSERT INTO membership_kept VALUES(?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"
        db.run(
            'UPDATE membership_kept SET "into"=? WHERE entity=? AND segment=? AND "into"=?',
            (survivor, *key, loser),
        )
        db.run(keep, (*key, loser, survivor, *what))
        own = db.row(
            "SELECT since, version, reason FROM membership WHERE entity=? AND segment=? AND id=?",
            (*key, survivor),
        )
        db.run("DELETE FROM membership WHERE entity=? AND segment=? AND id=?", (*key, loser))
        if own is None:
            db.run("INSERT INTO membership VALUES(?,?,?,?,?,?)", (*key, survivor, *what))
            return True
        db.run(keep, (*key, survivor, survivor, *own))
        db.run(
            "UPDATE membership SET since=min(since, ?) WHERE entity=? AND segment=? AND id=?",
            (what[0], *key, survivor),
        )
        return False

    def _parted(self, entity: str) -> Carried:
        found = Carried(entity)
        for before, now in self._moved(entity):
            (stands,) = self._db.rows(
                "SELECT coalesce((SELECT id FROM person_alias WHERE entity=? AND own=?), ?)",
                (entity, before, before),
            )
            if stands[0] != now:
                found.parted.setdefault(stands[0], set()).add(now)
        for person, others in found.parted.items():
            held = self._db.rows(
                "SELECT segment, since FROM membership WHERE entity=? AND id=?", (entity, person)
            )
            for other in (person, *others):
                kept = self._kept(entity, other)
                found.alone[other] = {name: instant(min(at)) for name, at in kept.items()}
                if other == person:
                    continue
                for segment, since in held:
                    earliest = min(kept.get(segment, [since]))
                    found.restored.setdefault(segment, {})[other] = instant(earliest)
        return found

    def _moved(self, entity: str) -> list[tuple[int, int]]:
        """(person then, person now) of each record that left the person it was joined to."""
        found = self._db.rows(
            "SELECT b.id, coalesce(n.id, b.own) AS now FROM carried_alias b"
            " LEFT JOIN person_alias n ON n.entity=b.entity AND n.own=b.own"
            " WHERE b.entity=? AND now <> b.id ORDER BY b.own",
            (entity,),
        )
        return [(int(before), int(now)) for before, now in found]

    def _kept(self, entity: str, person: int) -> dict[str, list[str]]:
        """Segment to when records that are now this person's had been in before their merge."""
        kept: dict[str, list[str]] = defaultdict(list)
        for segment, since in self._db.rows(
            "SELECT k.segment, k.since FROM membership_kept k LEFT JOIN person_alias a"
            " ON a.entity=k.entity AND a.own=k.id WHERE k.entity=? AND coalesce(a.id, k.id)=?",
            (entity, person),
        ):
            kept[segment].append(since)
        return kept

    def settle(
        self,
        carried: Carried,
        run_id: str,
        at: datetime,
        restored: Iterable[tuple[str, int, Membership]],
        closed: Iterable[tuple[str, int]],
    ) -> None:
        """Write (segment, person, membership) that undone merges restore, and (segment, person)
        that they close; from now on the persons stand as they are."""
        entity = carried.entity
        with self._db.transaction():
            for segment, person, one in restored:
                self._db.run(
                    "INSERT INTO membership VALUES(?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                    (entity, segment, person, stamp(one.since), one.version, one.reason),
                )
                self._log(entity, person, segment, "entered", at, run_id, UNMERGED, one.version)
            for segment, person in closed:
                self._db.run(
                    "DELETE FROM membership WHERE entity=? AND segment=? AND id=?",
                    (entity, segment, person),
                )
                self._log(entity, person, segment, "left", at, run_id, UNMERGED)
            self._since(entity, carried.parted)
            self._db.run(
                "DELETE FROM membership_kept WHERE entity=? AND NOT EXISTS(SELECT 1 FROM"
                " membership m WHERE m.entity=membership_kept.entity"
                ' AND m.segment=membership_kept.segment AND m.id=membership_kept."into")',
                (entity,),
            )
            self._db.run("DELETE FROM carried_alias WHERE entity=?", (entity,))
            self._db.run(
                "INSERT INTO carried_alias SELECT entity, own, id FROM person_alias WHERE entity=?",
                (entity,),
            )

    def _since(self, entity: str, parted: Mapping[int, set[int]]) -> None:
        """Who stayed has been in since what is still theirs had been in."""
        for person, others in parted.items():
            for segment, kept in self._kept(entity, person).items():
                self._db.run(
                    "UPDATE membership SET since=? WHERE entity=? AND segment=? AND id=?",
                    (min(kept), entity, segment, person),
                )
            for one in (*others, person):
                self._regroup(entity, one)

    def _regroup(self, entity: str, person: int) -> None:
        """What is kept of records that are still joined to this person; alone, nothing is kept."""
        owns = "SELECT own FROM person_alias WHERE entity=?1 AND id=?2"
        if self._db.row(
            f"SELECT 1 FROM membership_kept WHERE entity=?1 AND id IN ({owns})", (entity, person)
        ):
            self._db.run(
                'UPDATE membership_kept SET "into"=?2 WHERE entity=?1'
                f" AND (id=?2 OR id IN ({owns}))",
                (entity, person),
            )
        else:
            self._db.run("DELETE FROM membership_kept WHERE entity=? AND id=?", (entity, person))

    def _log(
        self,
        entity: str,
        number: int,
        segment: str,
        op: str,
        at: datetime,
        run_id: str,
        reason: str,
        version: str | None = None,
    ) -> None:
        self._db.run(
            "INSERT INTO membership_log(entity, id, segment, op, at, run_id, version, reason)"
            " VALUES(?,?,?,?,?,?,?,?)",
            (entity, number, segment, op, stamp(at), run_id, version, reason),
        )
