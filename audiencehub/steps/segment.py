"""Segment: compiled rules give who matches; `stay` and the log give who is a member, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from audiencehub.hub import Hub
from audiencehub.insight.reasons import reasons
from audiencehub.insight.stays import fill_stays
from audiencehub.ledger import Carried, Membership
from audiencehub.model import Entity
from audiencehub.rules.compile import Compiled, compile_book
from audiencehub.warehouse import remember, unfilled

ENTITIES: tuple[Entity, Entity] = ("contact", "account")
WORD = 64
Current = dict[str, dict[int, Membership]]


@dataclass(slots=True)
class Segmented:
    """Sizes and movement of one evaluation."""

    sizes: dict[str, int] = field(default_factory=dict)
    entered: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    """People and accounts there are, by entity."""


def segment(hub: Hub) -> Segmented:
    """Evaluate every rule, record who entered and left, and leave the table `member`."""
    compiled, bits = _compiled(hub)
    carried = {one: hub.ledger.carrying.carry(one, hub.run_id, hub.now) for one in ENTITIES}
    current: dict[str, Current] = {one: hub.ledger.membership.current(one) for one in ENTITIES}
    connection = hub.warehouse.connection
    fill_stays(connection, hub.ledger, hub.rules)
    settle = _Settlement(hub, current, carried, bits)
    with hub.warehouse.transaction():
        compiled.run(connection, settle)
        result = Segmented()
        now = {name: _ids(hub, one.of, bits[name]) for name, one in hub.rules.segments.items()}
        for entity in ENTITIES:
            result.totals[entity] = _one(hub, f"SELECT count(*) FROM {entity}")
            _record(hub, carried[entity], current[entity], now, result)
        _members(hub)
        hub.warehouse.set("evaluated_at", hub.now.isoformat())
    return result


def _compiled(hub: Hub) -> tuple[Compiled, dict[str, int]]:
    bits: dict[str, int] = {}
    for entity in ENTITIES:
        names = [name for name, one in hub.rules.segments.items() if one.of == entity]
        bits |= hub.ledger.membership.bits(entity, names)
    streams = {stream for _, stream in hub.ledger.manifests.streams()}
    blank = unfilled(hub.warehouse.connection, streams)
    remember(hub.warehouse.connection, blank)
    return compile_book(hub.rules, hub.now, bits, unfilled=blank), bits


class _Settlement:
    """Between two stages: who matches is a member, and who may not leave yet still is."""

    def __init__(
        self,
        hub: Hub,
        current: Mapping[str, Current],
        carried: Mapping[Entity, Carried],
        bits: Mapping[str, int],
    ) -> None:
        self.hub, self.current, self.carried, self.bits = hub, current, carried, bits
        self.kept: dict[str, list[tuple[int, int]]] = {entity: [] for entity in ENTITIES}

    def __call__(self, connection: Any, stage: Any) -> None:
        for name in stage.segments:
            rule = self.hub.rules.segments[name]
            if rule.stay is not None:
                for number, since in self._since(rule.of, name).items():
                    if self.hub.now < rule.may_leave_at(since, self.hub.settings.zone):
                        self.kept[rule.of].append((number, self.bits[name]))
        for entity in ENTITIES:
            self._write(connection, entity)

    def _since(self, entity: Entity, segment: str) -> dict[int, datetime]:
        """Members and since when; of those whose merge was undone, by themselves."""
        alone = self.carried[entity].alone
        found = {
            number: one.since
            for number, one in self.current[entity].get(segment, {}).items()
            if number not in alone
        }
        return found | {n: since[segment] for n, since in alone.items() if segment in since}

    def _write(self, connection: Any, entity: str) -> None:
        found = connection.execute(f"SELECT * FROM match_{entity} LIMIT 0").description
        words = [column[0] for column in found if column[0] != f"{entity}_id"]
        masks: dict[int, list[int]] = {}
        for number, bit in self.kept[entity]:
            masks.setdefault(number, [0] * len(words))[bit // WORD] |= 1 << (bit % WORD)
        columns = {"id": pa.array(list(masks), pa.int32())}
        for place, word in enumerate(words):
            columns[word] = pa.array([mask[place] for mask in masks.values()], pa.uint64())
        connection.register("kept", pa.table(columns))
        joined = ", ".join(f"m.{word} | coalesce(k.{word}, 0::UBIGINT) AS {word}" for word in words)
        connection.execute(
            f"CREATE OR REPLACE TABLE member_{entity} AS SELECT m.{entity}_id, {joined} "
            f"FROM match_{entity} m LEFT JOIN kept k ON k.id = m.{entity}_id"
        )
        connection.unregister("kept")


def _record(
    hub: Hub, carried: Carried, current: Current, now: Mapping[str, set[int]], result: Segmented
) -> None:
    entity: Entity = "contact" if carried.entity == "contact" else "account"
    rules = {name: one for name, one in hub.rules.segments.items() if one.of == entity}
    fresh: dict[str, set[int]] = {}
    gone: dict[str, set[int]] = {}
    for name in rules:
        before = set(current.get(name, {}))
        fresh[name], gone[name] = now[name] - before, before - now[name]
        result.sizes[name] = len(now[name])
    members = _by_id(hub, now)
    connection = hub.warehouse.connection
    why_in = reasons(connection, hub.rules, entity, fresh, members, hub.now, entered=True)
    why_out = reasons(connection, hub.rules, entity, gone, members, hub.now, entered=False)
    restored, closed = _unmerged(carried, fresh, gone, now)
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
        for name in sorted(current.keys() - rules.keys())
        for number in sorted(current[name])
    ]
    with hub.ledger.transaction():
        hub.ledger.membership.record(hub.run_id, hub.now, entered, left)
        hub.ledger.carrying.settle(carried, hub.run_id, hub.now, back, closed)
    hub.progress(f"segment {entity}s", result.totals[entity], result.totals[entity])


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
        if carried.unmerged(name, number, now[name])
    ]
    for name, number, _ in restored:
        fresh[name].discard(number)
    for name, number in closed:
        gone[name].discard(number)
    return restored, closed


def _by_id(hub: Hub, now: Mapping[str, set[int]]) -> dict[Entity, dict[int, frozenset[str]]]:
    found: dict[Entity, dict[int, set[str]]] = {one: {} for one in ENTITIES}
    for name, numbers in now.items():
        for number in numbers:
            found[hub.rules.segments[name].of].setdefault(number, set()).add(name)
    return {one: {n: frozenset(names) for n, names in ids.items()} for one, ids in found.items()}


def _ids(hub: Hub, entity: str, bit: int) -> set[int]:
    word, mask = f"w{bit // WORD}", 1 << (bit % WORD)
    rows = hub.warehouse.connection.execute(
        f"SELECT {entity}_id FROM member_{entity} WHERE ({word} & {mask}::UBIGINT) <> 0"
    ).fetchnumpy()
    return {int(number) for number in rows[f"{entity}_id"]}


def _members(hub: Hub) -> None:
    """The table that plans read: every current membership with its reason."""
    rows = [
        (entity, number, name, one.since.astimezone(UTC).replace(tzinfo=None), one.reason)
        for entity in ENTITIES
        for name, members in hub.ledger.membership.current(entity).items()
        for number, one in members.items()
    ]
    names = ("entity", "id", "segment", "since", "reason")
    types = (pa.string(), pa.int32(), pa.string(), pa.timestamp("us"), pa.string())
    columns = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(types)]
    connection = hub.warehouse.connection
    connection.execute("DELETE FROM member")
    connection.register("stage_member", pa.table(dict(zip(names, columns, strict=True))))
    connection.execute("INSERT INTO member SELECT * FROM stage_member ORDER BY entity, id, segment")
    connection.unregister("stage_member")


def _one(hub: Hub, sql: str) -> int:
    return int(hub.warehouse.connection.execute(sql).fetchall()[0][0])
