"""The vendors' side: a CRM and an ad platform in memory, their faults, and who changed what.

They outlive every crash of the hub. What is sent is shown to `watch` before it is applied.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from audiencehub.connector import Capabilities, Destination, Source
from audiencehub.errors import BatchRefused, Incomplete, OutcomeUnknown, Stop, Wait
from audiencehub.model import Need, Page, Receipt, Row, Stream, TagValue

START = datetime(2026, 11, 16, 9, tzinfo=UTC)
FOREIGN = "vip"
"""A tag that people give by hand; no segment has its name."""


class Killed(BaseException):
    """The process is gone: not an error that anything may handle."""


@dataclass(frozen=True)
class Record:
    """A person as the CRM has them."""

    email: str | None = None
    title: str = "plain"
    consent: str | None = None
    said_at: datetime | None = None
    deleted: bool = False
    merged_into: str | None = None


@dataclass
class Batch:
    """One call that reached a vendor."""

    target: str
    members: list[str]
    outcome: str = "killed"


@dataclass
class World:
    """What the vendors hold, and what goes wrong next."""

    clock: datetime = START
    records: dict[str, Record] = field(default_factory=dict)
    updated: dict[str, datetime] = field(default_factory=dict)
    tags: dict[str, frozenset[str]] = field(default_factory=dict)
    lists: dict[str, set[str]] = field(default_factory=dict)
    foreign: dict[str, set[str]] = field(default_factory=dict)
    """Of each list, what somebody else put there."""
    disturbed: set[tuple[str, str]] = field(default_factory=set)
    """(target, record or list value) that somebody else changed since the hub wrote it last."""
    hands: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Record to (added or removed, tag) of what others ever did to its tags."""
    faults: list[tuple[str, str | None]] = field(default_factory=list)
    """(kind, member or any) that strike once each."""
    batches: list[Batch] = field(default_factory=list)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    pages: str = "delta"
    """How the next pull is answered."""
    served: list[tuple[dict[str, tuple[Record, datetime]], bool, bool]] = field(
        default_factory=list
    )
    """Of each pull: records with their times, whether it read everything, whether it proved it."""
    dead: bool = False
    watch: Callable = lambda *_: None
    after: Callable = lambda *_: None
    die: Callable = lambda: None

    def tick(self, step=timedelta(seconds=1)):
        self.clock += step
        return self.clock

    def live(self):
        return sorted(key for key, one in self.records.items() if not one.deleted)

    def put(self, key, **changes):
        """A person edits a record."""
        self.records[key] = replace(self.records.get(key, Record()), **changes)
        self.updated[key] = self.tick()
        self.tags.setdefault(key, frozenset())

    def drop(self, key, into=None):
        """A record is deleted, or merged into another: it and its tags are gone."""
        self.records[key] = replace(self.records[key], deleted=True, merged_into=into)
        self.updated[key] = self.tick()
        self._others(key, self.tags[key], frozenset())

    def edit(self, key, tags):
        """A person changes the tags of a record by hand."""
        self._others(key, self.tags[key], frozenset(tags))

    def _others(self, key, before, after):
        hands = self.hands.setdefault(key, set())
        hands |= {("added", tag) for tag in after - before}
        hands |= {("removed", tag) for tag in before - after}
        self.tags[key] = after
        self.disturbed.add(("crm/contact/tags", key))

    def strikes(self, kind, members=()):
        for place, (name, member) in enumerate(self.faults):
            if name == kind and (member is None or member in members):
                del self.faults[place]
                return True
        return False


ENTERED: dict[str, World] = {}
"""The one world that connectors reach, by the name in their options."""


def enter(world):
    """The name under which connectors find this world from now on; the one before is left."""
    ENTERED.clear()
    ENTERED["now"] = world
    return "now"


class Vendor(Destination):
    def __init__(self, context):
        super().__init__(context)
        self.world = ENTERED[context.options["world"]]

    def check(self):
        return "ok"

    def apply(self, target, changes):
        world, members = self.world, [one.member for one in changes]
        if world.dead:
            raise Killed
        batch = Batch(target.id, members)
        world.batches.append(batch)
        world.watch(target, changes)
        try:
            receipts = self._answer(target, changes, members)
        except (Wait, Stop):
            batch.outcome = "stopped"
            raise
        except BatchRefused:
            batch.outcome = "batch_refused"
            raise
        except OutcomeUnknown:
            batch.outcome = "no_answer"
            raise
        finally:
            world.after(target, changes)
        if len(receipts) != len(members):
            batch.outcome = "verdicts_do_not_match"
        elif not world.dead:
            batch.outcome = "answered"
        return receipts

    def _answer(self, target, changes, members):
        world = self.world
        if world.strikes("wait"):
            raise Wait("Busy.", hint="Wait")
        if world.strikes("stop"):
            raise Stop("Out.", hint="Log in")
        if world.strikes("lost_before"):
            raise OutcomeUnknown("No answer.", hint="Look")
        if world.strikes("refuse"):
            world.refusals[target.id, "*"] += 1
            raise BatchRefused("A row is bad.", hint="Find it")
        receipts = [self._one(target, change) for change in changes]
        if world.strikes("lost_after"):
            raise OutcomeUnknown("No answer.", hint="Look")
        return receipts[:-1] if world.strikes("short") else receipts

    def _one(self, target, change):
        world = self.world
        if world.strikes("lock", [change.member]):
            return Receipt(change.member, "retry", reason="locked")
        if world.strikes("reject", [change.member]):
            world.refusals[target.id, change.member] += 1
            return Receipt(change.member, "rejected", reason="invalid: no such thing")
        if target.kind == "tag" and world.strikes("lie", [change.member]):
            # It says yes and does nothing: as if somebody had taken it back at once.
            before, after = world.tags[change.member], frozenset(change.value.tags)
            world.hands.setdefault(change.member, set()).update(
                {("removed", tag) for tag in after - before}
                | {("added", tag) for tag in before - after}
            )
            world.disturbed.add((target.id, change.member))
        else:
            self.write(target, change)
        return Receipt(change.member, "confirmed", proof="200 model")


class CrmTags(Vendor):
    can = Capabilities(kinds=frozenset({"tag"}), places=("contact",), batch_size=2, reads=True)

    def ensure(self, target, options):
        return {"property": "tags"}

    def read(self, target, members):
        world = self.world
        if world.dead:
            raise Killed
        return {
            key: TagValue(tuple(sorted(world.tags[key])), "")
            for key in members
            if key in world.records and not world.records[key].deleted
        }

    def write(self, target, change):
        world = self.world
        if world.records[change.member].deleted:
            return
        world.tags[change.member] = frozenset(change.value.tags)
        world.disturbed.discard((target.id, change.member))
        # To the CRM the hub's write is a change of the record like any other.
        world.updated[change.member] = world.tick()


class AdLists(Vendor):
    can = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=2,
        platform="meta",
        identifiers=("email",),
        need=Need("advertising", "ads"),
    )

    def ensure(self, target, options):
        self.world.lists.setdefault(target.id, set())
        return {"id": target.id}

    def write(self, target, change):
        held = self.world.lists[target.id]
        values = set(change.identifiers.values())
        (held.update if change.op == "add" else held.difference_update)(values)
        self.world.disturbed -= {(target.id, value) for value in values}


class CrmSource(Source):
    """Answers a pull as `world.pages` says: honestly, or in one of the ways that sources fail."""

    streams = (Stream("contact", tombstones=True),)

    def __init__(self, context):
        super().__init__(context)
        self.world = ENTERED[context.options["world"]]

    def check(self):
        return "ok"

    def pull(self, stream, cursor):
        world, kind = self.world, self.world.pages
        if kind == "stop":
            raise Stop("Out.", hint="Log in")
        full = cursor is None or kind not in ("delta", "cut")
        since = datetime.min.replace(tzinfo=UTC) if full else datetime.fromisoformat(cursor["at"])
        keys = world.live() if full else sorted(k for k, at in world.updated.items() if at > since)
        if kind == "empty":
            keys = []
        elif kind == "silent":
            keys = keys[: max(1, len(keys) - 2)]
        half = len(keys) // 2
        parts = [keys] if kind in ("empty", "silent") else [keys[:half], keys[half:]]
        cut = kind in ("cut", "wait", "half", "killed")
        sent = {
            k: (copy.copy(world.records[k]), world.updated[k])
            for part in (parts[:1] if cut else parts)
            for k in part
        }
        world.served.append((sent, full, not cut and kind not in ("miscounted", "empty")))
        at = {"at": world.clock.isoformat()}
        yield Page([self._json(k) for k in parts[0]], full=full, last=len(parts) == 1,
                   cursor=at if len(parts) == 1 else None)  # fmt: skip
        if kind == "cut":
            raise Incomplete("The body was cut.", hint="Try again")
        if kind == "wait":
            raise Wait("Busy.", hint="Wait")
        if kind == "killed":
            world.die()
        if kind == "half" or len(parts) == 1:
            return
        total = len(keys) + (kind == "miscounted")
        yield Page([self._json(k) for k in parts[1]], full=full, last=True, cursor=at, total=total)

    def _json(self, key):
        one = self.world.records[key]
        return {
            "id": key,
            "at": self.world.updated[key].isoformat(),
            "email": one.email,
            "title": one.title,
            "consent": one.consent,
            "said_at": one.said_at.isoformat() if one.said_at else None,
            "deleted": one.deleted,
            "merged_into": one.merged_into,
        }

    def rows(self, stream, record):
        at = datetime.fromisoformat(record["at"])
        if record["deleted"]:
            yield Row("contact", record["id"], {}, at, True, record["merged_into"])
            return
        values = {"email": record["email"], "title": record["title"]}
        yield Row("contact", record["id"], values, at)
        if record["consent"]:
            said = {
                "contact_ref": record["id"], "purpose": "advertising", "channel": "ads",
                "status": record["consent"], "at": record["said_at"],
            }  # fmt: skip
            yield Row("consent", f"{record['id']}-ads", said, at)
