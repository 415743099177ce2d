"""Consent: pure law over what a person has said. It fails closed; unknown is no."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from audiencehub.model import Need

ANY = "any"
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing a person has said about being addressed, as one source has it."""

    purpose: str
    """advertising, marketing; `any` only denies."""
    channel: str
    """ads, email, phone; `any` speaks for all of them."""
    status: str
    """granted or denied; a word we do not know counts as denied."""
    at: datetime | None
    """When it was said, aware. Undated: the latest for a denial, the earliest for a grant."""
    source: str
    record: str = ""
    """The source's record it stands on. Two records merged into one person speak side by side, so
    that the strictest counts; the later word replaces the earlier only on the same record."""

    def __post_init__(self) -> None:
        if self.at is not None and self.at.tzinfo is None:
            raise ValueError("a decision's time must carry its zone")

    @property
    def granted(self) -> bool:
        """The person said yes."""
        return self.status == "granted"

    def concerns(self, need: Need) -> bool:
        """Whether it speaks about this need; a grant must name the purpose."""
        purpose = self.purpose == need.purpose or (self.purpose == ANY and not self.granted)
        return purpose and self.channel in (need.channel, ANY)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a setting may ask for on top of the law. There is no way to ask for less."""

    sources: frozenset[str] | None = None
    """Only grants from these sources count; denials count from everywhere."""
    longest: timedelta | None = None
    """A grant older than this, or undated, no longer counts."""
    also: tuple[Need, ...] = ()
    """Further needs that must be met too."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether a person may be addressed, and why (or why not), without their data."""

    allowed: bool
    reason: str
    denied: bool = False
    """Somebody said no; else nobody is known to have said yes."""


def ruling(
    decisions: Iterable[Decision], need: Need, *, now: datetime, narrow: Narrowing = Narrowing()
) -> Ruling:
    """The law for one person at one time.

    Per source (and record) the latest decision that concerns the need counts, a denial before a
    grant of the same instant. Any denial that stands wins over every grant. A grant dated after
    `now` has not been given yet; a denial so dated stands.
    """
    said = list(decisions)
    for one in (need, *narrow.also):
        found = _one(said, one, now, narrow)
        if not found.allowed:
            return found
    return Ruling(True, f"granted for {need.purpose} by {need.channel}")


def allowed(
    decisions: Iterable[Decision], need: Need, *, now: datetime, narrow: Narrowing = Narrowing()
) -> bool:
    """`ruling(…).allowed`."""
    return ruling(decisions, need, now=now, narrow=narrow).allowed


def permitted(
    people: Mapping[str, Iterable[Decision]],
    need: Need,
    *,
    now: datetime,
    narrow: Narrowing = Narrowing(),
) -> frozenset[str]:
    """The ids of those who may be addressed."""
    return frozenset(
        person for person, said in people.items() if allowed(said, need, now=now, narrow=narrow)
    )


def _one(said: list[Decision], need: Need, now: datetime, narrow: Narrowing) -> Ruling:
    what = f"{need.purpose} by {need.channel}"
    standing: dict[tuple[str, str], Decision] = {}
    for one in said:
        if not one.concerns(need) or (one.granted and one.at is not None and one.at > now):
            continue
        key = (one.source, one.record)
        if key not in standing or _weight(one) > _weight(standing[key]):
            standing[key] = one
    denied = sorted({one.source for one in standing.values() if not one.granted})
    if denied:
        return Ruling(False, f"denied for {what} ({', '.join(denied)})", denied=True)
    if any(_counts(one, now, narrow) for one in standing.values()):
        return Ruling(True, f"granted for {what}")
    why = "by no source that counts, or too long ago" if standing else "no decision known"
    return Ruling(False, f"not granted for {what}: {why}")


def _weight(one: Decision) -> tuple[datetime, bool]:
    """Later wins; at the same instant, and undated, the denial wins."""
    undated = _EARLIEST if one.granted else _LATEST
    return (one.at or undated, not one.granted)


def _counts(one: Decision, now: datetime, narrow: Narrowing) -> bool:
    if narrow.sources is not None and one.source not in narrow.sources:
        return False
    return narrow.longest is None or (one.at is not None and now - one.at <= narrow.longest)
