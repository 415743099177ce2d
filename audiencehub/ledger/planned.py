"""What a plan is: its head, its changes, and why one that stood is void."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["consent", "change"]
RESTORED = "restored"
"""The guard of targets that a restored ledger does not know."""
PASSING = frozenset({"quota", RESTORED})
"""Guards that hold until a time comes or something is done, and that no approval overrides."""


@dataclass(frozen=True, slots=True)
class PlanChange:
    """One change of a plan, as stored."""

    member: str
    op: str
    phase: int
    """0 consent, 1 remove what is replaced, 2 add and set, 3 remove."""
    value: str | None
    """For tags: the value as JSON."""
    value_hash: str
    why: str
    person: int | None = None
    """The contact's or account's id."""
    sealed: bytes | None = None
    """For lists: the identifiers, encrypted."""
    enters: tuple[str, ...] = ()
    """Segments that the member enters at this target."""
    leaves: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What the plan's hash covers of it."""
        return (self.member, self.op, self.value_hash)


@dataclass(frozen=True, slots=True)
class Plan:
    """One stored plan; its changes are read with `Plans.changes`."""

    plan_id: str
    target: str
    kind: Kind
    run_id: str
    at: datetime
    hash: str
    adds: int
    removes: int
    sets: int
    verdict: str
    """`go`, `hold`, `approved`, `void`."""
    state: str
    """`open`, `applying` (a push began and has not ended it), `done`, `void`."""
    guards: Sequence[Mapping[str, Any]]
    excluded: Mapping[str, int]
    versions: Mapping[str, str]
    calls: int
    approved_by: str | None = None
    approved_at: datetime | None = None
    reason: str | None = None
    frozen_until: datetime | None = None
    writes: int = 0
    """Rows that are sent: a record written, a person added to a list or removed."""
    basis: Mapping[str, str] = field(default_factory=dict)
    """What it rests on beside rules and data: the settings, as digests by their name."""
    ended: str | None = None
    """Why it is void."""

    @property
    def released(self) -> bool:
        """It may be sent."""
        return self.verdict in {"go", "approved"}

    @property
    def waits_for_time(self) -> bool:
        """It is held, and only by what passes by itself."""
        holding = {str(one["name"]) for one in self.guards if one["verdict"] == "hold"}
        return self.verdict == "hold" and bool(holding) and holding <= PASSING


def same_terms(old: Plan, new: Plan) -> bool:
    """Both rest on the same rules and settings; an older ledger did not note its settings."""
    return not _terms(old, new)


def outdated(
    old: Plan,
    new: Plan,
    before: Collection[tuple[str, str, str]],
    after: Collection[tuple[str, str, str]],
    notes: Sequence[str] = (),
) -> str:
    """Why `old` does not stand any more, in one line; `before` and `after` are their keys."""
    told = [*_terms(old, new), *notes]
    went, came = len(set(before) - set(after)), len(set(after) - set(before))
    if went or came:
        told.append(
            f"the data changed: {went:,} of its {len(before):,} changes went, {came:,} came"
        )
    return "; ".join(told) or "it was planned anew"


def _terms(old: Plan, new: Plan) -> list[str]:
    told = []
    for name in sorted(old.versions.keys() | new.versions.keys()):
        was, now = old.versions.get(name), new.versions.get(name)
        if was is None:
            told.append(f"the segment {name} goes there too")
        elif now is None:
            told.append(f"the segment {name} no longer goes there")
        elif was != now:
            told.append(f"the rule {name} changed (v{was} to v{now})")
    known = sorted(old.basis.keys() & new.basis.keys())
    return told + [f"{name} changed" for name in known if old.basis[name] != new.basis[name]]
