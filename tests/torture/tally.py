"""What a run came to, against the model: nothing here asks the product what it did."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

import apsw

from audiencehub.ledger import Ledger
from tests.torture import company
from tests.torture.company import Holding
from tests.torture.grounds import Ground, Seen


@dataclass(slots=True)
class Tally:
    """Figures of one run, or of many; rows and changes, `unsettled` in runs."""

    runs: int = 0
    kills: int = 0
    missing: int = 0
    """Values that should be there in the end and are not."""
    extra: int = 0
    """Values that are there in the end and should not be, or are others."""
    twice: int = 0
    """Changes of a value beyond those of the model: each is a history entry too many."""
    false_confirms: int = 0
    """Values that the ledger holds for delivered and the place does not have, after any process."""
    resent: int = 0
    """The most rows that one process sent though they were applied and answered before."""
    over_batch: int = 0
    """Processes that sent more of these than one batch."""
    open: int = 0
    """Runs that did not come to rest within two quiet syncs."""
    again: int = 0
    """Runs that needed the second of them."""

    def add(self, other: Tally) -> None:
        """Sum; the most of `resent`."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            setattr(self, one.name, max(mine, theirs) if one.name == "resent" else mine + theirs)

    @property
    def wrong(self) -> int:
        """Everything that must be nought."""
        found = self.missing + self.extra + self.twice + self.false_confirms
        return found + self.over_batch + self.open


def final(tally: Tally, ground: Ground, seed: int, seen: Seen) -> None:
    """The place in the end against the last day of the model."""
    holdings = [ground.holding(day) for day in company.days(seed)]
    wanted = holdings[-1]
    tally.missing += len(wanted.keys() - seen.holding.keys())
    tally.extra += sum(wanted.get(key) != value for key, value in seen.holding.items())
    # A day that a dead run never delivered may leave fewer changes than the model, never more.
    tally.twice += (seen.moves - company.moves(holdings)).total()
    tally.open += seen.holding != wanted


def resent(seen: Seen, since: int) -> int:
    """Rows applied from there on that made no difference, although their last answer had come."""
    last: dict[str, bool] = {}
    found = 0
    for number, one in enumerate(seen.writes):
        again = not one["changed"] and last.get(one["who"]) is False
        found += again and number >= since
        last[one["who"]] = one["late"]
    return found


def believed(folder: Path, ground: Ground) -> Holding:
    """What the ledger says was delivered, but for rows with a change still under way."""
    if not (folder / "ledger.sqlite").exists():
        return {}
    ledger = Ledger.open(folder)
    try:
        db = apsw.Connection(str(folder / "ledger.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
        under_way = {
            row[0]
            for row in db.execute(
                "SELECT member FROM intent WHERE target=? AND state IN ('sent','unknown')",
                (ground.target,),
            )
        }
        rows = db.execute("SELECT member, value FROM believed WHERE target=?", (ground.target,))
        held = {member: value for member, value in rows if member not in under_way}
        db.close()
        if ground.kind == "tag":
            found = {m: ";".join(sorted(json.loads(v)["tags"])) for m, v in held.items()}
            return {m: value for m, value in found.items() if value}
        tokens = ledger.delivery.identifiers(ground.target, list(held))
        by = ground.identifier
        return {ledger.sealing.open(token)[by]: "in" for token in tokens.values()}
    finally:
        ledger.close()


def false_confirms(claimed: Holding, seen: Seen) -> int:
    """Claims that the place does not bear out."""
    return sum(seen.holding.get(key) != value for key, value in claimed.items())
