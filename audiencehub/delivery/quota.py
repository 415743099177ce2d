"""Quota: what a destination's API still allows, and whether a run's plans fit into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audiencehub.connector import Destination
from audiencehub.delivery.guards import GuardResult
from audiencehub.errors import HubError
from audiencehub.ledger import Ledger, Reading

NAME = "quota"


@dataclass(slots=True)
class Budget:
    """One destination's quota as a run spends it: its targets share what is left."""

    ledger: Ledger
    destination: Destination
    now: datetime
    reading: Reading | None = None
    promised: int = 0
    """Calls that the plans of this run before this one need."""
    _asked: bool = False

    def judge(self, calls: int) -> GuardResult:
        """The guard `quota`: hold what needs more calls than remain. It passes by itself: the next
        run asks again, and an approval releases the plan before."""
        if not calls:
            return GuardResult(NAME, "ok", "no call is needed")
        self._ask()
        if self.reading is None or self.reading.quota.remaining is None:
            return GuardResult(NAME, "ok", "the destination does not tell its quota", None, calls)
        quota, when = self.reading.quota, self._when(self.reading)
        remaining = quota.remaining or 0
        if quota.unit == "percent":
            message = f"{remaining} % of {quota.name} left{when}"
            return GuardResult(NAME, "ok" if remaining else "hold", message, None, calls, remaining)
        left = max(0, remaining - self.promised)
        message = f"at most {calls:,} API calls, {left:,} of {quota.limit or 0:,} left{when}"
        if self.promised:
            message += f", {self.promised:,} of them set aside for this run's other plans"
        if calls > left and quota.resets:
            message += f"; resets: {quota.resets}"
        verdict = "hold" if calls > left else "ok"
        return GuardResult(NAME, "hold" if verdict == "hold" else "ok", message, None, calls, left)

    def promise(self, calls: int) -> None:
        """These calls will be made by this run."""
        self.promised += calls

    def shown(self) -> dict[str, Any] | None:
        """The reading as JSON: `name`, `unit`, `limit`, `remaining`, `resets`, `read_at`,
        `age_hours`; None when the destination has not told, or was not asked."""
        if self.reading is None:
            return None
        quota = self.reading.quota
        return {
            "name": quota.name,
            "unit": quota.unit,
            "limit": quota.limit,
            "remaining": quota.remaining,
            "resets": quota.resets,
            "read_at": self.reading.at.isoformat(),
            "age_hours": round((self.now - self.reading.at) / timedelta(hours=1), 1),
        }

    def _ask(self) -> None:
        """Ask once; where that fails, the last known reading stands, with its age."""
        if self._asked:
            return
        self._asked = True
        name = self.destination.context.name
        self.reading = read(self.ledger, name, self.destination, self.now)

    def _when(self, reading: Reading) -> str:
        hours = (self.now - reading.at) / timedelta(hours=1)
        return f" (read {hours:,.0f} h ago)" if hours >= 1 else ""


def read(ledger: Ledger, name: str, destination: Destination, now: datetime) -> Reading | None:
    """What the destination tells of its quota, kept; else what it told last."""
    try:
        found = destination.quota()
    except HubError:
        found = None
    return ledger.quotas.last(name) if found is None else ledger.quotas.keep(name, found, now)
