"""Segments in the order people look for them: ladders with their rungs in order, then layers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from audiencehub.rules import RuleBook
from audiencehub.rules.book import LAYERS
from audiencehub.rules.language.trait import Ladder

LAYER_OF: Mapping[str, str] = {
    "demographic": "foundation",
    "geographic": "foundation",
    "firmographic": "foundation",
    "behavioral": "action",
    "rfm": "action",
    "lifecycle": "action",
    "value": "action",
    "occasion": "action",
    "psychographic": "motivation",
    "technographic": "motivation",
    "needs": "motivation",
    "intent": "apex",
    "predictive": "apex",
}
"""Each of the thirteen models to its layer."""
RETIRED = "without a rule now"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Segments that are shown together."""

    title: str
    names: tuple[str, ...]
    ladder: Ladder | None = None
    """Whose rungs they are."""


def shelves(sizes: Mapping[str, int], book: RuleBook) -> tuple[Shelf, ...]:
    """Every segment of `sizes` on one shelf: ladders by label, with the rungs as they are written;
    then the layers, largest segment first; at last those of which no rule is left."""
    found = [
        Shelf(one.label, tuple(rung.segment for rung in one.rungs if rung.segment in sizes), one)
        for one in sorted(book.ladders.values(), key=lambda one: one.label)
    ]
    placed = {name for shelf in found for name in shelf.names}
    rest: dict[str, list[str]] = {layer: [] for layer in (*LAYERS, RETIRED)}
    for name in _by_size(sizes, sizes.keys() - placed):
        rule = book.segments.get(name)
        rest[LAYER_OF[rule.model] if rule else RETIRED].append(name)
    found += [Shelf(title.capitalize(), tuple(names)) for title, names in rest.items()]
    return tuple(shelf for shelf in found if shelf.names)


def _by_size(sizes: Mapping[str, int], names: Collection[str]) -> list[str]:
    return sorted(names, key=lambda name: (-sizes[name], name))
