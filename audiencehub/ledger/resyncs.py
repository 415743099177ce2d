"""Resyncs: targets that are to be sent whole, and everyone who was ever sent to one."""

from __future__ import annotations

from datetime import datetime

from audiencehub.ledger.db import Database
from audiencehub.ledger.stamps import instant, stamp

CONFIRMED_OUT = (
    "coalesce((SELECT max(r.seq) FROM intent r WHERE r.target=i.target AND r.member=i.member"
    " AND r.op='remove' AND r.state='confirmed'), 0)"
)
"""The last intent that proved a member out of the target, of the intent `i`."""


class Resyncs:
    """The resync table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def ask(
        self,
        target: str,
        who: str,
        at: datetime,
        *,
        lost_at: datetime | None = None,
        anew: bool = False,
    ) -> None:
        """Send this target whole; one that is under way goes on, but begins again where what was
        sent at `lost_at` is lost, which it may have counted as said, and with `anew`."""
        asked = self.asked_at(target)
        if asked is not None and not anew and (lost_at is None or lost_at < asked):
            return
        self._db.run(
            "INSERT INTO resync SELECT ?1, coalesce(max(seq), 0), ?2, ?3, NULL,"
            " (SELECT coalesce(max(n), 0) FROM restore) FROM intent WHERE 1"
            " ON CONFLICT DO UPDATE SET after_seq=excluded.after_seq, who=excluded.who,"
            " at=excluded.at, done_at=NULL, restore=excluded.restore",
            (target, who, stamp(at)),
        )

    def vouched(self, target: str, hub: str) -> bool:
        """The one under way was asked for since the ledger was last put back, and by a person, not
        by `hub` itself: whoever asks knows what the target holds, or wants it sent all the same."""
        found = self._db.row(
            "SELECT 1 FROM resync WHERE target=? AND done_at IS NULL AND who<>?"
            " AND restore=(SELECT coalesce(max(n), 0) FROM restore)",
            (target, hub),
        )
        return found is not None

    def under_way(self, target: str) -> bool:
        """It was asked for, and is not done."""
        sql = "SELECT 1 FROM resync WHERE target=? AND done_at IS NULL"
        return self._db.row(sql, (target,)) is not None

    def asked_at(self, target: str) -> datetime | None:
        """When the resync under way was asked for."""
        found = self._db.row("SELECT at FROM resync WHERE target=? AND done_at IS NULL", (target,))
        return instant(found[0]) if found else None

    def asked_by(self, target: str) -> str:
        """Who asked for the last resync of a target; empty when nobody ever did."""
        found = self._db.row("SELECT who FROM resync WHERE target=?", (target,))
        return str(found[0]) if found else ""

    def said(self, target: str) -> set[str]:
        """Members whose add has had its verdict since it was asked for."""
        found = self._db.rows(
            "SELECT i.member FROM intent i JOIN resync ON resync.target=i.target"
            " AND i.seq>resync.after_seq WHERE i.target=? AND i.op='add'"
            " AND i.state IN ('confirmed','rejected','quarantined')",
            (target,),
        )
        return {str(row[0]) for row in found}

    def done(self, target: str, at: datetime) -> None:
        """Everything of it has its verdict."""
        self._db.run(
            "UPDATE resync SET done_at=? WHERE target=? AND done_at IS NULL", (stamp(at), target)
        )

    def ever_sent(self, target: str) -> dict[str, bytes]:
        """Member of a list to the sealed identifiers that were sent and never proven out again.

        From the identifiers that are kept, and where those were damaged, from the plans whose adds
        were confirmed or are in doubt. A member whose only adds were refused is not among them.
        """
        log = self._db.rows(
            "SELECT i.member, c.sealed FROM intent i JOIN plan_change c ON c.plan_id=i.plan_id"
            " AND c.member=i.member AND c.op='add' AND c.sealed IS NOT NULL WHERE i.target=?"
            " AND i.op='add' AND i.state IN ('confirmed','sent','unknown')"
            f" AND i.seq > {CONFIRMED_OUT} ORDER BY i.seq",
            (target,),
        )
        kept = self._db.rows(
            "SELECT s.member, s.sealed FROM sent_identifier s WHERE s.target=?"
            " AND coalesce((SELECT i.state FROM intent i WHERE i.target=s.target"
            " AND i.member=s.member AND i.op='add' ORDER BY i.seq DESC LIMIT 1), '')"
            " NOT IN ('rejected','quarantined')",
            (target,),
        )
        return {str(member): bytes(sealed) for member, sealed in [*log, *kept]}

    def ever_tagged(self, target: str) -> set[str]:
        """Records whose tags this ledger ever wrote or believed."""
        found = self._db.rows(
            "SELECT member FROM believed WHERE target=?1"
            " UNION SELECT DISTINCT member FROM intent WHERE target=?1 AND op='set'",
            (target,),
        )
        return {str(row[0]) for row in found}
