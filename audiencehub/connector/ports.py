"""The ports: a source reads, a destination writes, an enricher looks up keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from audiencehub.model import (
    Ceiling,
    Change,
    Cursor,
    Entity,
    Figures,
    Json,
    Need,
    Page,
    Processed,
    Quota,
    Receipt,
    Row,
    Stream,
    TagOption,
    TagValue,
    Target,
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a connector is given when it is opened; it reads nothing from anywhere else."""

    name: str
    """Its settings entry, which is also the `source` of its rows."""
    options: Mapping[str, Any]
    """The entry's own options, already checked against the connector's `Options` model."""
    secret: Callable[[str], str]
    """A credential by option name; raises ConfigError naming every place searched."""
    now: datetime
    """The run's clock, aware, UTC. Never the machine's."""
    base_url: str | None = None
    """Where the sandbox listens; None: the real vendor."""
    root: Path = field(default_factory=Path)
    """The project folder; relative paths in options start here."""
    custom: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Canonical table to custom field to what this vendor calls it (settings, `[custom.…]`)."""


class Source(ABC):
    """Reads one vendor. Paging and cursors are its own affair; cleaning is not."""

    streams: ClassVar[Sequence[Stream]] = ()
    remembered: Cursor | None = None
    """Where the stream stood after its last complete pull, also when all of it is read anew: what
    was there then, and is no more, is a change of the vendor's schema."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def available(self) -> Sequence[Stream]:
        """The streams this settings entry reads; all of them unless options say less."""
        return self.streams

    @abstractmethod
    def check(self) -> str:
        """One cheap call that proves access; returns one line for `doctor`. Raises Stop."""

    @abstractmethod
    def pull(self, stream: Stream, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of raw records since the cursor, in order; everything when it is None.

        Raises Incomplete when a reply is cut or impossible, Stop for credentials, Wait for limits.
        """

    @abstractmethod
    def rows(self, stream: Stream, record: Json) -> Iterable[Row]:
        """One raw record in canonical words; pure. Raises SkipRow for a record without meaning."""


class Enricher(ABC):
    """Looks up keys, a batch at a time; each match may cost money, so answers expire."""

    key: ClassVar[str] = "account.domain"
    batch_size: ClassVar[int] = 100
    keep_days: ClassVar[int] = 30
    """How long an answer is good before the key is asked for again."""
    stream: ClassVar[Stream]

    def __init__(self, context: Context) -> None:
        self.context = context

    @abstractmethod
    def check(self) -> str:
        """One cheap call that proves access; returns one line for `doctor`."""

    @abstractmethod
    def enrich(self, keys: Sequence[str]) -> Iterator[Page]:
        """Raw answers for these keys; a key without an answer yields none. Last page has `last`."""

    @abstractmethod
    def answers(self, record: Json) -> str:
        """The key that a raw answer is about: keys that none is about are asked for again."""

    @abstractmethod
    def rows(self, stream: Stream, record: Json) -> Iterable[Row]:
        """One raw answer in canonical words; pure."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a destination can do; the push step reads this and knows no vendor."""

    kinds: frozenset[str]
    """Of `tag`, `list`."""
    places: tuple[str, ...] = ()
    """For tags: the CRM objects it can tag, in the hub's words (contact, lead, account)."""
    batch_size: int = 100
    reads: bool = False
    """It can read members back, so that unknown outcomes are settled by looking."""
    remembers: bool = False
    """It can keep a line of ours beside each target (`remember`, `recall`), which tells whether
    the ledger that sent last is the one that asks."""
    platform: str = ""
    """For lists: whose identifier rules apply (`privacy.identifiers`)."""
    identifiers: tuple[str, ...] = ()
    """For lists: identifier fields it takes, best first (email, phone, first_name, …)."""
    members: Entity = "contact"
    """For lists: what its members are. Companies (`account`) give no consent."""
    record_kinds: tuple[str, ...] = ()
    """For lists whose identifier is `records`: the kinds of CRM records of a person that it takes
    (contact, lead); the value is their ids, sorted, joined by commas. `person` is an identifier,
    too: the hub's own number, which says nothing of anybody."""
    need: Need | None = None
    """The consent that every member of a list needs; None: the strictest that there is."""
    internal: bool = False
    """Only the company's own staff are told, so that no consent is asked; suppression is."""
    mixed: bool = False
    """One call may hold adds and removals together."""
    replaces: bool = False
    """It can make a list hold what it is given and nothing else (`replace`)."""
    lifetime: timedelta | None = None
    """How long a member stays who is not added again."""
    processes_later: bool = False
    """What becomes of a call is known later (`processed`)."""
    counts: bool = False
    """It tells how large a list is and how many were found (`figures`)."""
    ceilings: tuple[Ceiling, ...] = ()
    """The vendor's documented limits, which are kept before the vendor has to refuse."""
    minimum: int | None = None
    """Members below which the platform will not use the list."""
    max_tag_length: int = 80


class Destination(ABC):
    """Writes one vendor with set semantics only, so that a repeated write changes nothing."""

    can: Capabilities
    """Of the class; options may make it another of the instance."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @abstractmethod
    def check(self) -> str:
        """One cheap call that proves access; returns one line for `doctor`. Raises Stop."""

    @abstractmethod
    def ensure(self, target: Target, options: Sequence[TagOption]) -> Mapping[str, str]:
        """Make the place ready (field with its options, audience); returns what to remember of it.

        Idempotent: `target.remote` holds the last answer. Raises Stop when it cannot be made.
        """

    @abstractmethod
    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Send one batch; one receipt per change, in the order given.

        Raises OutcomeUnknown (may have been applied), BatchRefused (some row poisons the batch),
        Wait, Stop; in the last three cases nothing was applied.
        """

    def read(self, target: Target, members: Sequence[str]) -> Mapping[str, TagValue]:
        """What the destination holds now, for tag targets; a record that is gone is absent.

        Only where `can.reads`.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot read {target.kind}s back")

    def keeps_mark(self, target: Target) -> bool:
        """Whether `remember` and `recall` serve this target; every one where `can.remembers`."""
        del target
        return self.can.remembers

    def remember(self, target: Target, mark: str) -> None:
        """Keep this line beside the target, in place of the one before; only where `can.remembers`.

        Lower-case hex digits, a colon and a number, at most 40 characters. Raises Stop, Wait,
        OutcomeUnknown.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot keep {mark!r}")

    def recall(self, target: Target) -> str | None:
        """The line that `remember` kept last; None when there is none. Raises Stop, Wait."""
        raise NotImplementedError(f"{type(self).__name__} keeps nothing of {target.id}")

    def processed(self, target: Target, job: str) -> Processed:
        """What became of the work with this id; only where `can.processes_later`. Raises Stop,
        Wait."""
        raise NotImplementedError(f"{type(self).__name__} knows no job {job!r} of {target.id}")

    def figures(self, target: Target) -> Figures:
        """What the platform tells of the list now; only where `can.counts`. Raises Stop, Wait."""
        raise NotImplementedError(f"{type(self).__name__} does not count {target.id}")

    def replace(self, target: Target, keep: Sequence[Change], since: datetime) -> str:
        """Make the list hold these members and nobody else; the proof. Only where `can.replaces`.

        Each of them was added again after `since`. Idempotent. Raises Stop, OutcomeUnknown, and
        Wait while the platform still works on what was sent.
        """
        del keep, since
        raise NotImplementedError(f"{type(self).__name__} cannot replace {target.id}")

    def advice(self, target: Target, members: int) -> Sequence[str]:
        """What a person should know before the list has so many members; calls nobody."""
        if target.kind != "list" or not self.can.minimum or members >= self.can.minimum:
            return []
        least = f"{target.destination} uses a list from {self.can.minimum:,} members on"
        return [f"{least}; this has {members:,}"]

    def batch_size(self, target: Target, total: int) -> int:
        """Rows per `apply`, given how many changes there are in all."""
        del target, total
        return self.can.batch_size

    def calls(self, target: Target, total: int) -> int:
        """At most so many API calls write this many changes, when nothing fails."""
        return -(-total // max(1, self.batch_size(target, total)))

    def replacing(self, target: Target, members: int) -> int:
        """At most so many API calls make the list hold this many members alone (`replace`)."""
        del members
        return 1 if self.can.replaces and target.kind == "list" else 0

    def reading(self, target: Target, total: int) -> int:
        """At most so many API calls read this many members back."""
        return -(-total // self.can.batch_size) if self.can.reads and target.kind == "tag" else 0

    def setting_up(self, target: Target) -> int:
        """At most so many API calls log in and make the place ready, where nothing is missing but
        what the hub makes itself."""
        del target
        return 0

    def quota(self) -> Quota | None:
        """What the API still allows, by the latest reply that told; asks where none did."""
        return None
