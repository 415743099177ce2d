"""Where each entity of a world stands among the others, and where it has been."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from audiencehub.model import Entity
from audiencehub.rules.book import RuleBook
from audiencehub.rules.language.form import FieldTest, Rank
from audiencehub.rules.language.profile import Place, Profile, Stay
from audiencehub.testing.world import World

Everyone = Mapping[Entity, Mapping[int, Profile]]


def places(leaves: Iterable[Rank], everyone: Everyone) -> dict[Entity, dict[int, dict[str, Place]]]:
    """Entity to id to `Rank.order` to the place, of those whose value and group are known."""
    found: dict[Entity, dict[int, dict[str, Place]]] = {"contact": {}, "account": {}}
    for leaf in {one.order: one for one in leaves}.values():
        for number, place in _placed(leaf, everyone[leaf.scope]).items():
            found[leaf.scope].setdefault(number, {})[leaf.order] = place
    return found


def _placed(leaf: Rank, profiles: Mapping[int, Profile]) -> dict[int, Place]:
    known: list[tuple[int, Any, Any]] = []
    for number, profile in profiles.items():
        value = _value(leaf.by, profile)
        group = True if leaf.within is None else _value(leaf.within, profile)
        if value is not None and group is not None:
            known.append((number, value, group))
    result = {}
    for number, value, group in known:
        rivals = [other for _, other, same in known if same == group]
        ahead = sum(other > value if leaf.top else other < value for other in rivals)
        result[number] = Place(1 + ahead, len(rivals))
    return result


def _value(field: FieldTest, profile: Profile) -> Any:
    if field.trait:
        return profile.traits.get(field.field)
    record = profile.contact if field.scope == "contact" else profile.account
    return None if record is None else record.get(field.field)


def stays(book: RuleBook, world: World, entity: Entity, number: int) -> dict[str, list[Stay]]:
    """Segment to the stays of one entity in it, from the world's rows of `stay`."""
    found: dict[str, list[Stay]] = {}
    for row in world.facts.get("stay", ()):
        segment = book.segments.get(row["segment"])
        # A segment may have been of the other entity once; that was another one.
        if segment is None or segment.of != entity:
            continue
        if row["entity"] == entity and row["id"] == number:
            found.setdefault(row["segment"], []).append((row["entered_at"], row.get("left_at")))
    return found
