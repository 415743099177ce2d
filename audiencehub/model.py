"""The nouns: frozen records that cross the seams of the hub. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = Mapping[str, Any]
Cursor = Mapping[str, str]
"""Where a stream's next pull begins; opaque to all but its source, stored as JSON."""

Entity = Literal["contact", "account"]
Op = Literal["add", "remove", "set"]
Verdict = Literal["confirmed", "rejected", "retry", "unknown"]


@dataclass(frozen=True, slots=True)
class Stream:
    """One object type of a source."""

    name: str
    """In the hub's words where they fit: contact, lead, account, deal, …"""
    label: str = ""
    tombstones: bool = False
    """Deletes come as records of their own."""
    snapshot: bool = False
    """Every pull reads everything, so that a complete one proves absence."""


@dataclass(frozen=True, slots=True)
class Page:
    """One reply of a source: raw records as the vendor sent them."""

    records: Sequence[Json]
    cursor: Cursor | None = None
    """Where to resume once this page is landed; None: not before the end."""
    last: bool = False
    """The vendor said that nothing follows. A pull without a last page is incomplete."""
    total: int | None = None
    """How many records the vendor says the whole pull has, where it says so."""
    full: bool = False
    """This pull read everything there is, so that absence means deletion."""


@dataclass(frozen=True, slots=True)
class Row:
    """One raw record said in canonical words, not yet cleaned."""

    table: str
    """A table of `audiencehub.canonical`."""
    source_id: str
    """The record's id at its source, unique within (source, table)."""
    values: Json
    """Canonical field to the vendor's own value. Links: contact_ref, account_ref (source ids at
    the same source), contact_email, account_domain (where a source has only natural keys)."""
    observed_at: datetime | None = None
    """When the source last changed the record, aware, UTC."""
    deleted: bool = False
    merged_into: str | None = None
    """The surviving record's source id, when the source merged this one away."""


@dataclass(frozen=True, slots=True)
class TagValue:
    """What a tag target holds for one record: the whole set, and the text beside it."""

    tags: tuple[str, ...] = ()
    """Sorted segment ids."""
    reason: str | None = None
    """None: leave the reason field as it is."""


@dataclass(frozen=True, slots=True)
class Target:
    """One place at one destination: plans, leases, guards and believed are per target."""

    destination: str
    """The name of its settings entry."""
    kind: Literal["tag", "list"]
    place: str
    """For tags the CRM object in the hub's words (contact, lead, account), else the segment."""
    remote: Mapping[str, str] = field(default_factory=dict)
    """What the destination answered when the place was made: audience id, property name."""
    label: str = ""

    @property
    def id(self) -> str:
        """`hubspot/contact/tags`, `meta_ads/list/<segment>`."""
        if self.kind == "tag":
            return f"{self.destination}/{self.place}/tags"
        return f"{self.destination}/list/{self.place}"


@dataclass(frozen=True, slots=True)
class TagOption:
    """One value that a tag field must allow before it is written."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between believed and desired, for one member of one target."""

    member: str
    """For tags the vendor's record id; for lists our person id."""
    op: Op
    value: TagValue | None = None
    """For `set` on tag targets."""
    identifiers: Mapping[str, str] = field(default_factory=dict)
    """For lists: identifier field to the exact value sent (normalized, hashed)."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The destination's verdict on one change. Without proof nothing is confirmed."""

    member: str
    verdict: Verdict
    proof: str | None = None
    """Status, record or job id, digest of the reply; never a body, never a person's data."""
    reason: str | None = None
    """For rejected and retry: a stable code and a short text."""
    job: str | None = None
    """The platform's id of work that it does later, where the row was taken and what came of it is
    to be asked for (`Destination.processed`)."""

    def __post_init__(self) -> None:
        if self.verdict == "confirmed" and not self.proof:
            raise ValueError("a confirmed receipt needs proof from the destination's reply")


@dataclass(frozen=True, slots=True)
class Quota:
    """What an API still allows: `remaining` of `limit` until `resets`."""

    name: str
    limit: int | None
    remaining: int | None
    resets: str = ""
    unit: Literal["calls", "percent"] = "calls"
    """Where a vendor counts otherwise, it tells a percentage, which no number of calls equals."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A documented limit of a vendor: so many calls in so many seconds."""

    what: str
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Processed:
    """What became of work that a platform did later."""

    state: Literal["running", "done", "partly", "failed", "gone"]
    """`partly`: some rows were refused; `gone`: too old to be asked for."""
    rows: int | None = None
    """As the platform counts them, refused ones included."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """The platform's reason to the number of rows; it names no row."""
    match: tuple[float, float] | None = None
    """Between which shares of the rows (0 to 1) somebody was found."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a platform tells of an audience."""

    state: Literal["ready", "building", "too_small", "blocked", "gone"]
    size: tuple[int, int] | None = None
    """Between which numbers of people it reaches, by the platform's count."""
    match: tuple[float, float] | None = None
    """Between which shares (0 to 1) of what was sent somebody was found."""
    detail: str = ""
    """The platform's own word for the state; never a person's data."""


@dataclass(frozen=True, slots=True)
class Need:
    """The consent a destination needs before a person may be sent to it."""

    purpose: Literal["advertising", "marketing"]
    channel: Literal["ads", "email"]
