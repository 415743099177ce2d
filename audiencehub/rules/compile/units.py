"""Leaves that read the same rows, and so are evaluated again for the same entities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audiencehub.rules.compile.bind import Recipe
from audiencehub.rules.compile.leaves import Leaves
from audiencehub.rules.compile.moves import Edge, moves
from audiencehub.rules.compile.rows import group_of, names_asked, oldest_of
from audiencehub.rules.compile.sequence import earliest
from audiencehub.rules.compile.words import WORD, Slot
from audiencehub.rules.language.catalog import DATED, Catalog
from audiencehub.rules.language.form import Grouped, Leaf, Sequence

OWN = 63
"""The bit of what is read from the entity's own row."""
LAST = 62
"""Units from the 63rd on share a bit: they are then evaluated again together."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Which rows of a table a unit reads."""

    table: str
    bit: int
    names: tuple[str, ...] = ()
    """Event names; none: all."""
    start: Recipe | None = None
    """From when on; None: from any time."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Leaves over the same rows, with their bit in the table of what is to be looked at again."""

    bit: int
    slots: tuple[Slot[Leaf], ...]
    readers: tuple[Reader, ...]
    edges: tuple[Edge, ...]
    daily: bool


def split(
    leaves: Leaves, catalog: Catalog, steady: Callable[[Leaf], bool]
) -> tuple[list[Unit], list[Slot[Leaf]]]:
    """The units of an entity's leaves, and those that must be looked at in full: where it is not
    known how the clock moves them, or where the clock is not the same to them (`steady`)."""
    known: dict[Any, list[Slot[Leaf]]] = {}
    rest: list[Slot[Leaf]] = []
    for slot in (*leaves.over_row, *leaves.rows, *leaves.scanned):
        if moves(slot.leaf, catalog) is None or not steady(slot.leaf):
            rest.append(slot)
        else:
            known.setdefault(_key(slot.leaf), []).append(slot)
    own = known.pop(OWN, None)
    units = [_unit(min(n, LAST), slots, catalog) for n, slots in enumerate(known.values())]
    return units + ([_unit(OWN, own, catalog)] if own else []), rest


def _key(leaf: Leaf) -> Any:
    if isinstance(leaf, Grouped):
        return group_of(leaf)
    return leaf if isinstance(leaf, Sequence) else OWN


def _unit(bit: int, slots: list[Slot[Leaf]], catalog: Catalog) -> Unit:
    found = [one for one in (moves(slot.leaf, catalog) for slot in slots) if one is not None]
    edges = tuple(dict.fromkeys(edge for one in found for edge in one.edges))
    leaf = slots[0].leaf
    readers: tuple[Reader, ...] = ()
    if isinstance(leaf, Grouped):
        grouped = [slot.leaf for slot in slots if isinstance(slot.leaf, Grouped)]
        start = oldest_of(grouped, catalog)
        readers = (Reader(leaf.table, bit, group_of(leaf).names, start),)
    elif isinstance(leaf, Sequence):
        steps = dict.fromkeys((leaf.first, *leaf.then))
        readers = tuple(
            Reader(one.table, bit, names_asked(one), _since(leaf, one.table, catalog))
            for one in steps
        )
    return Unit(bit, tuple(slots), readers, edges, any(one.daily for one in found))


def _since(leaf: Sequence, table: str, catalog: Catalog) -> Recipe | None:
    dated = catalog.field(table, DATED[table])
    return earliest(leaf, on_days=dated is not None and dated.type == "date")


def chosen(leaves: Leaves, slots: list[Slot[Leaf]]) -> Leaves:
    """The same leaves with the same bits, but only these."""
    wanted = {slot.index for slot in slots}

    def keep(many: Any) -> Any:
        return tuple(slot for slot in many if slot.index in wanted)

    return Leaves(
        leaves.entity,
        keep(leaves.over_row),
        keep(leaves.rows),
        keep(leaves.scanned),
        leaves.blank,
        leaves.words,
    )


def word_masks(slots: list[Slot[Leaf]], words: int) -> list[int]:
    """Per word the bits of these leaves."""
    found = [0] * words
    for slot in slots:
        found[slot.index // WORD] |= 1 << (slot.index % WORD)
    return found
