"""What rules read of an entity among others: people of an account, places in ranks, earlier stays.

Only what the rules at hand ask for is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from audiencehub.model import Entity
from audiencehub.rules import Profile, Segment
from audiencehub.rules.compile.rank import places_sql
from audiencehub.rules.language.form import Contacts, Node, Past, Rank, deep
from audiencehub.rules.language.profile import Place, Stay

Connection = duckdb.DuckDBPyConnection
Load = Callable[[Collection[int]], Mapping[int, Profile]]
Ids = dict[Entity, set[int]]


def surround(
    connection: Connection,
    profiles: Mapping[int, Profile],
    rules: Iterable[Segment],
    people: Load,
) -> dict[int, Profile]:
    """The profiles with all that these rules read of others. `people` loads contacts by id."""
    nodes = [node for rule in rules for node in deep(rule.when)]
    ids = _ids(profiles.values())
    places = _places(connection, nodes, ids)
    stays = _stays(connection, nodes, ids)
    found = {n: _among(one, places, stays) for n, one in profiles.items()}
    companies = {n for n, one in found.items() if one.contact is None}
    if companies and any(isinstance(node, Contacts) for node in nodes):
        found = _with_crew(connection, found, people)
    return found


def _ids(profiles: Iterable[Profile]) -> Ids:
    found: Ids = {"contact": set(), "account": set()}
    for one in profiles:
        for entity, number in _own(one):
            found[entity].add(number)
    return found


def _own(profile: Profile) -> list[tuple[Entity, int]]:
    """The ids under which a profile has places and stays: the account's first."""
    records: tuple[tuple[Entity, Any], ...] = (
        ("account", profile.account),
        ("contact", profile.contact),
    )
    return [(entity, row[f"{entity}_id"]) for entity, row in records if row is not None]


def _among(
    profile: Profile,
    places: Mapping[tuple[Entity, int], Mapping[str, Place]],
    stays: Mapping[tuple[Entity, int], Mapping[str, list[Stay]]],
) -> Profile:
    ranks: dict[str, Place] = {}
    past: dict[str, list[Stay]] = {}
    for key in _own(profile):
        ranks.update(places.get(key, {}))
        past.update(stays.get(key, {}))
    return replace(profile, ranks=ranks, past=past) if ranks or past else profile


def _places(
    connection: Connection, nodes: Iterable[Node], ids: Ids
) -> dict[tuple[Entity, int], dict[str, Place]]:
    found: dict[tuple[Entity, int], dict[str, Place]] = {}
    for leaf in {one.order: one for one in nodes if isinstance(one, Rank)}.values():
        sql = f"SELECT * FROM ({places_sql(leaf)}) WHERE owner_id IN (SELECT id FROM these)"
        for number, place, people in _over(connection, sql, ids[leaf.scope]):
            found.setdefault((leaf.scope, number), {})[leaf.order] = Place(place, people)
    return found


def _stays(
    connection: Connection, nodes: Iterable[Node], ids: Ids
) -> dict[tuple[Entity, int], dict[str, list[Stay]]]:
    found: dict[tuple[Entity, int], dict[str, list[Stay]]] = {}
    asked = {(one.owner, one.segment) for one in nodes if isinstance(one, Past)}
    for entity, segment in sorted(asked):
        sql = (
            "SELECT id, entered_at, left_at FROM stay "
            "WHERE entity = ? AND segment = ? AND id IN (SELECT id FROM these) ORDER BY 1, 2"
        )
        for number, began, end in _over(connection, sql, ids[entity], entity, segment):
            stays = found.setdefault((entity, number), {}).setdefault(segment, [])
            stays.append((_aware(began), None if end is None else _aware(end)))
    return found


def _with_crew(
    connection: Connection, profiles: Mapping[int, Profile], people: Load
) -> dict[int, Profile]:
    sql = "SELECT contact_id FROM contact WHERE account_id IN (SELECT id FROM these) ORDER BY 1"
    staff = people([row[0] for row in _over(connection, sql, set(profiles))])
    crews: dict[int, list[Profile]] = {}
    for one in staff.values():
        assert one.contact is not None, "people are contacts"
        crews.setdefault(one.contact["account_id"], []).append(one)
    return {n: replace(one, crew=tuple(crews.get(n, ()))) for n, one in profiles.items()}


def _over(connection: Connection, sql: str, ids: Collection[int], *values: Any) -> list[Any]:
    connection.register("these", pa.table({"id": pa.array(sorted(ids), pa.int32())}))
    try:
        return connection.execute(sql, list(values)).fetchall()
    finally:
        connection.unregister("these")


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
