"""Segment: compiled rules give who matches; `stay` and the log give who is a member, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from audiencehub.hub import Hub
from audiencehub.insight.reasons import reasons
from audiencehub.insight.stays import fill_stays
from audiencehub.ledger import Carried, Membership
from audiencehub.membership import Masks, Pair, Settlement, refresh, rewrite
from audiencehub.model import Entity
from audiencehub.predict import learn_daily
from audiencehub.rules.compile import Compiled, compile_book, last_clock, run_changed
from audiencehub.warehouse import remember, touched, unfilled

ENTITIES: tuple[Entity, Entity] = ("contact", "account")


@dataclass(slots=True)
class Segmented:
    """Sizes and movement of one evaluation."""

    sizes: dict[str, int] = field(default_factory=dict)
    entered: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    """People and accounts there are, by entity."""
    models: list[str] = field(default_factory=list)
    """What was learnt, a line per model, with the first run of a day."""
    whole: bool = False
    """Everyone was evaluated, and not only what had changed."""


def segment(hub: Hub, *, full: bool = False) -> Segmented:
    """Evaluate the rules on what changed, record who entered and left, update the table `member`.

    On everyone where that is not known, where rules or settings are others, and when `full` says
    so: the outcome is the same.
    """
    compiled = _compiled(hub)
    carried = {one: hub.ledger.carrying.carry(one, hub.run_id, hub.now) for one in ENTITIES}
    connection = hub.warehouse.connection
    fill_stays(connection, hub.ledger, hub.rules)
    ever = {one: hub.ledger.membership.all_bits(one) for one in ENTITIES}
    masks = Masks(connection, hub.ledger, ever)
    with hub.warehouse.transaction():
        masks.begin()
        learnt = learn_daily(hub.warehouse, hub.ledger, hub.rules, hub.now)
        whole = full or not masks.fits or touched.everything(connection)
        whole = whole or last_clock(compiled, connection) is None
        (masks.keep_all if whole else masks.keep_none)()
        settle = Settlement(masks, hub.rules, carried, hub.now, hub.settings.zone, everyone=whole)
        if whole:
            compiled.run(connection, settle)
        else:
            run_changed(compiled, connection, settle)
        settle.finish(connection)
        result = Segmented(models=[str(one) for one in learnt], whole=whole)
        for entity in ENTITIES:
            result.totals[entity] = _one(hub, f"SELECT count(*) FROM {entity}")
            _record(hub, masks, carried[entity], result, everyone=whole)
        _members(hub, masks, carried)
        masks.end()
        touched.clear(connection)
        hub.warehouse.set("evaluated_at", hub.now.isoformat())
    return result


def recheck(hub: Hub) -> Segmented:
    """Evaluate everyone again, on the data and at the clock of this run's evaluation.

    Whoever enters or leaves here was judged wrongly from changes alone: `entered` and `left` are
    the differences, and the full answer is what stands afterwards.
    """
    return segment(hub, full=True)


def _compiled(hub: Hub) -> Compiled:
    bits: dict[str, int] = {}
    for entity in ENTITIES:
        names = [name for name, one in hub.rules.segments.items() if one.of == entity]
        bits |= hub.ledger.membership.bits(entity, names)
    streams = {stream for _, stream in hub.ledger.manifests.streams()}
    blank = unfilled(hub.warehouse.connection, streams)
    remember(hub.warehouse.connection, blank)
    return compile_book(hub.rules, hub.now, bits, unfilled=blank)


def _record(hub: Hub, masks: Masks, carried: Carried, result: Segmented, *, everyone: bool) -> None:
    entity: Entity = "contact" if carried.entity == "contact" else "account"
    rules = {name: one for name, one in hub.rules.segments.items() if one.of == entity}
    came, went = masks.changes(entity, everyone=everyone)
    fresh = {name: came.get(name, set()) for name in rules}
    gone = {name: went.get(name, set()) for name in rules}
    result.sizes |= masks.sizes(entity, rules)
    members = _around(hub, masks, entity, [*fresh.values(), *gone.values()])
    connection = hub.warehouse.connection
    why_in = reasons(connection, hub.rules, entity, fresh, members, hub.now, entered=True)
    why_out = reasons(connection, hub.rules, entity, gone, members, hub.now, entered=False)
    restored, closed = _unmerged(carried, fresh, gone, _parted(masks, carried, entity))
    back = [
        (name, number, Membership(since, rules[name].version, why_in[name, number]))
        for name, number, since in restored
    ]
    for name in rules:
        result.entered[name], result.left[name] = len(fresh[name]), len(gone[name])
    entered = [
        (entity, number, name, why_in[name, number], rules[name].version)
        for name, numbers in fresh.items()
        for number in sorted(numbers)
    ]
    left = [
        (entity, number, name, why_out[name, number])
        for name, numbers in gone.items()
        for number in sorted(numbers)
    ]
    left += [
        (entity, number, name, "the rule was removed")
        for name in sorted(went.keys() - rules.keys())
        for number in sorted(went[name])
    ]
    with hub.ledger.transaction():
        hub.ledger.membership.record(hub.run_id, hub.now, entered, left)
        hub.ledger.carrying.settle(carried, hub.run_id, hub.now, back, closed)
    hub.progress(f"segment {entity}s", result.totals[entity], result.totals[entity])


def _around(
    hub: Hub, masks: Masks, entity: Entity, moved: Iterable[set[int]]
) -> dict[Entity, dict[int, frozenset[str]]]:
    """The segments of those who moved, of their accounts, and of the people of moved accounts."""
    numbers = {number for some in moved for number in some}
    hub.warehouse.connection.register(
        "moving", pa.table({"id": pa.array(sorted(numbers), pa.int32())})
    )
    links = hub.warehouse.connection.execute(
        "SELECT contact_id, account_id FROM contact JOIN moving "
        f"ON moving.id = {entity}_id WHERE account_id IS NOT NULL"
    ).fetchall()
    hub.warehouse.connection.unregister("moving")
    people = {person for person, _ in links} | (numbers if entity == "contact" else set())
    companies = {one for _, one in links} | (numbers if entity == "account" else set())
    return {"contact": masks.of("contact", people), "account": masks.of("account", companies)}


def _parted(masks: Masks, carried: Carried, entity: Entity) -> dict[str, set[int]]:
    """Segment to those of undone merges who are in it."""
    persons = {one for others in carried.parted.values() for one in others} | carried.parted.keys()
    found: dict[str, set[int]] = {}
    for number, names in masks.of(entity, persons).items():
        for name in names:
            found.setdefault(name, set()).add(number)
    return found


def _unmerged(
    carried: Carried,
    fresh: Mapping[str, set[int]],
    gone: Mapping[str, set[int]],
    now: Mapping[str, set[int]],
) -> tuple[list[tuple[str, int, datetime]], list[tuple[str, int]]]:
    """Take out of `fresh` and `gone` those who are in or out because a merge was undone."""
    restored = [
        (name, number, since)
        for name, found in sorted(carried.restored.items())
        for number, since in sorted(found.items())
        if number in fresh.get(name, ())
    ]
    closed = [
        (name, number)
        for name, numbers in sorted(gone.items())
        for number in sorted(numbers)
        if carried.unmerged(name, number, now.get(name, ()))
    ]
    for name, number, _ in restored:
        fresh[name].discard(number)
    for name, number in closed:
        gone[name].discard(number)
    return restored, closed


def _members(hub: Hub, masks: Masks, carried: Mapping[Entity, Carried]) -> None:
    """The table that plans read: every current membership with its reason."""
    connection, ledger = hub.warehouse.connection, hub.ledger
    if not masks.fits:
        rewrite(connection, ledger)
        return
    pairs: set[Pair] = {(e, n, s) for e, n, s, _ in ledger.membership.moved_since(masks.since)}
    pairs.update(ledger.membership.merged_since(masks.since))
    for entity in ENTITIES:
        # Who was parted has been in since what is still theirs had been in.
        parted = carried[entity].parted
        persons = {*parted, *(one for others in parted.values() for one in others)}
        pairs |= {(entity, one, name) for one in persons for name in masks.bits[entity]}
    refresh(connection, ledger, pairs)


def _one(hub: Hub, sql: str) -> int:
    return int(hub.warehouse.connection.execute(sql).fetchall()[0][0])
