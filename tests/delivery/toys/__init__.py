"""Two toy vendors: a durable world in one file, and the destinations that speak to it.

Faults are set in the world, so that they reach destinations in other processes too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import connectors
from audiencehub.connector import Capabilities, Destination
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import Need, Quota, Receipt, TagValue
from audiencehub.sandbox.store import Store

HERE = Path(__file__).parent
if str(HERE) not in connectors.__path__:
    connectors.__path__.append(str(HERE))


class World:
    """What the vendors hold, what they were sent, and what goes wrong next."""

    def __init__(self, path):
        self.store = Store(Path(path))
        self.records, self.lists = self.store.table("records"), self.store.table("lists")
        self.writes, self.faults = self.store.table("writes"), self.store.table("faults")

    def fail(self, kind, member=None, times=1):
        """One fault: it strikes `times` times, on any batch or on those with the member."""
        self.faults[f"{len(self.faults):06d}"] = {"kind": kind, "member": member, "left": times}

    def strikes(self, kind, members):
        """Whether such a fault strikes now; counted down."""
        for key, fault in list(self.faults.items()):
            if fault["kind"] == kind and fault["left"] > 0 and fault["member"] in (None, *members):
                self.faults[key] = {**fault, "left": fault["left"] - 1}
                return True
        return False

    def wrote(self, target, member, op):
        self.writes[f"{len(self.writes):06d}"] = {"target": target, "member": member, "op": op}

    def tags(self):
        return {key: tuple(doc["tags"]) for key, doc in self.records.items() if doc["tags"]}

    def people(self, name):
        return set(self.lists.get(name, {}))

    def close(self):
        self.store.close()


class Toy(Destination):
    def __init__(self, context):
        super().__init__(context)
        self.world = context.options["world"]
        if isinstance(self.world, str):
            self.world = World(self.world)

    def check(self):
        return "ok"

    def remember(self, target, mark):
        self.world.store.table("marks")[target.id] = {"mark": mark}

    def recall(self, target):
        return self.world.store.table("marks").get(target.id, {}).get("mark")

    def apply(self, target, changes):
        members = [one.member for one in changes]
        world = self.world
        if world.strikes("wait", members):
            raise Wait("Busy.", hint="Wait")
        if world.strikes("stop", members):
            raise Stop("Out.", hint="Log in")
        if world.strikes("no_apply", members):
            raise OutcomeUnknown("No answer.", hint="Look")
        if any(world.strikes("poison", [one]) for one in members if self._poisoned(one)):
            raise BatchRefused("A row is bad.", hint="Find it")
        receipts = [self._one(target, change) for change in changes]
        if world.strikes("lost_answer", members):
            raise OutcomeUnknown("No answer.", hint="Look")
        if world.strikes("short", members):
            return receipts[:-1]
        return receipts

    def quota(self):
        """Told by the world; `silent` there makes the vendor unreachable for it."""
        if self.world.strikes("silent", []):
            raise Wait("Busy.", hint="Wait")
        told = self.world.store.table("quota").get(self.context.name)
        return Quota("calls a day", 100, **told) if told else None

    def _poisoned(self, member):
        return any(
            f["kind"] == "poison" and f["member"] == member for f in self.world.faults.values()
        )

    def _one(self, target, change):
        if self.world.strikes("lock", [change.member]):
            return Receipt(change.member, "retry", reason="locked")
        if self.world.strikes("reject", [change.member]):
            return Receipt(change.member, "rejected", reason="invalid: no such thing")
        if not self.world.strikes("lie", [change.member]):
            self.write(target, change)
            self.world.wrote(target.id, change.member, change.op)
        return Receipt(change.member, "confirmed", proof="200 toy")


class ToyTags(Toy):
    can = Capabilities(
        kinds=frozenset({"tag"}), places=("contact", "account"), batch_size=5, reads=True
    )

    def ensure(self, target, options):
        self.world.store.table("options").put({o.value: {"label": o.label} for o in options})
        return {"property": "tags"}

    def read(self, target, members):
        records = self.world.records
        return {
            m: TagValue(tuple(records[m]["tags"]), records[m]["reason"])
            for m in members
            if m in records
        }

    def write(self, target, change):
        old = self.world.records[change.member]
        reason = old["reason"] if change.value.reason is None else change.value.reason
        self.world.records[change.member] = {"tags": list(change.value.tags), "reason": reason}


class ToyLists(Toy):
    can = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=5,
        platform="meta",
        identifiers=("email", "phone"),
        need=Need("advertising", "ads"),
    )

    def ensure(self, target, options):
        name = f"aud-{target.place}"
        if name not in self.world.lists:
            self.world.lists[name] = {}
        return {"id": name}

    def write(self, target, change):
        name = target.remote["id"]
        held = dict(self.world.lists[name])
        if change.op == "add":
            held.update(dict.fromkeys(change.identifiers.values(), change.member))
        else:
            for value in change.identifiers.values():
                held.pop(value, None)
        self.world.lists[name] = held


sys.modules.setdefault("toys", sys.modules[__name__])
