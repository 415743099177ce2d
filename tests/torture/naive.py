"""The controls: the two designs in use elsewhere, put through the same sweep. They must fail it.

Both compare what is wanted with what is noted, take a status of 200 for success and look at no
row's verdict. One notes a batch after it was sent, the other before.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from audiencehub import connector
from audiencehub.connector import Context, Destination
from audiencehub.delivery import crash
from audiencehub.errors import HubError
from audiencehub.model import Change, TagOption, TagValue, Target
from tests.torture import company
from tests.torture.company import Day
from tests.torture.grounds import Ground
from tests.torture.story import START, Life

NOTED = "noted.json"


def push_then_mark(life: Life, day: Day, number: int) -> None:
    """A batch is noted when it was answered."""
    _naive(life, day, number, before=False)


def mark_then_push(life: Life, day: Day, number: int) -> None:
    """A batch is noted when it is about to be sent."""
    _naive(life, day, number, before=True)


def _naive(life: Life, day: Day, number: int, *, before: bool) -> None:
    crash.point("before_plan")
    noted = life.folder / NOTED
    known = json.loads(noted.read_text()) if noted.exists() else {}
    goal = wanted(life, day)
    members = [m for m in sorted(known.keys() | goal.keys()) if known.get(m) != goal.get(m)]
    crash.point("plan_drafted")
    for name in ("after_plan", "after_lease", "before_ensure"):
        crash.point(name)
    destination, target = opened(life, number)
    crash.point("after_ensure")
    for start in range(0, len(members), life.ground.batch):
        batch = members[start : start + life.ground.batch]
        told = {**known, **{m: goal.get(m) for m in batch}}
        told = {m: value for m, value in told.items() if value is not None}
        rows = [one for m in batch for one in changes(life.ground, m, known.get(m), goal.get(m))]
        crash.point("before_sent")
        if before:
            noted.write_text(json.dumps(told))
            known = told
        crash.point("after_sent")
        with suppress(HubError):
            destination.apply(target, rows)
            crash.point("after_apply")
            if not before:
                noted.write_text(json.dumps(told))
                known = told
        crash.point("after_record")
    crash.point("after_push")


def wanted(life: Life, day: Day) -> dict[str, str]:
    """Record to tags; for a list person to what it holds of them."""
    if life.ground.kind == "list":
        return {str(n): value for n, value in life.ground.listed(day).items()}
    return {life.ground.keys[n]: value for n, value in company.tags(day).items()}


def changes(ground: Ground, member: str, old: str | None, new: str | None) -> list[Change]:
    """What brings a member from one value to the other."""
    if ground.kind == "list":
        by = ground.identifier
        gone = [Change(member, "remove", identifiers={by: old})] if old else []
        come = [Change(member, "add", identifiers={by: new})] if new else []
        return gone + come
    return [Change(member, "set", TagValue(tuple(new.split(";")) if new else ()))]


def opened(life: Life, number: int) -> tuple[Destination, Target]:
    """The destination without the hub, and its place made ready."""
    ground = life.ground
    kind = connector.load(connector.spec(ground.spot.connector).destination)
    made = kind(
        Context(
            name=ground.name,
            options=ground.entry().options,
            secret=lambda name: f"sandbox-{name}",
            now=START + timedelta(days=number),
            base_url=ground.url or "memory",
        )
    )
    place = "warm" if ground.kind == "list" else "contact"
    target = Target(ground.name, ground.kind, place, label="Warm")
    options = [TagOption("hot", "Hot"), TagOption("warm", "Warm")]
    remote = made.ensure(target, options if target.kind == "tag" else [])
    return made, replace(target, remote=remote)


def marked(life: Life) -> dict[str, str]:
    """What it believes that the place holds: the key of the place to the value."""
    noted = life.folder / NOTED
    known: dict[str, str] = json.loads(noted.read_text()) if noted.exists() else {}
    if life.ground.kind == "list":
        return dict.fromkeys(known.values(), "in")
    return known
