"""The files of traits/ and ladders/, read before the segments that name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from audiencehub.errors import Fault
from audiencehub.model import Entity
from audiencehub.rules.book import Segment
from audiencehub.rules.language.catalog import Catalog
from audiencehub.rules.language.trait import Ladder, Trait, levels
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.ladder import ladder_of
from audiencehub.rules.load.trait import declared, trait_of
from audiencehub.rules.load.tree import Map, Scalar, Seq, Tree, read

Known = Mapping[str, tuple[Entity, str]]
"""Column of a trait to whose it is and its type."""
File = tuple[Path, str]
"""A file, and its path as faults show it."""


def read_traits(
    files: Sequence[File], currency: str, catalog: Catalog
) -> tuple[dict[str, Trait], Known, list[Fault]]:
    """Trait id to trait, the columns that others may name, and all faults."""
    trees: dict[str, tuple[Desk, Tree]] = {}
    known: dict[str, tuple[Entity, str]] = {}
    faults: list[Fault] = []
    for file, shown in files:
        desk = Desk(shown, currency, catalog)
        tree = _tree(desk, file, "a trait")
        if file.stem in trees:
            other = trees[file.stem][0].path
            desk.fault(1, f"has the id of {other}", "Rename one of the two")
        if tree is None:
            faults += desk.faults
            known.setdefault(file.stem, ("contact", ""))
            continue
        trees.setdefault(file.stem, (desk, tree))
        faults += desk.faults if trees[file.stem][0] is not desk else []
        known |= declared(desk, tree)
    traits: dict[str, Trait] = {}
    for desk, tree in trees.values():
        desk.traits = known
        trait = trait_of(desk, tree)
        faults += desk.faults
        if trait is not None:
            traits[trait.id] = trait
    return traits, known, faults + _circles(traits)


def _circles(traits: Mapping[str, Trait]) -> list[Fault]:
    """One fault per trait that is computed from itself, whatever lies between."""
    needs = {
        one.id: {name.partition(".")[0] for column in one.columns for name in column.needs}
        - {one.id}
        for one in traits.values()
    }
    alone = {
        one.id for one in traits.values() for column in one.columns if column.name in column.needs
    }
    ordered = {column.name for level in levels(traits) for column in level}
    faults = []
    for trait in traits.values():
        reached: set[str] = set()
        waiting = list(needs[trait.id])
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += needs.get(name, ())
        circle = trait.id in reached or trait.id in alone
        if circle and any(one.name not in ordered for one in trait.columns):
            others = ", ".join(sorted(reached - {trait.id})) or "itself"
            message = f"trait {trait.id} is computed from itself, by way of {others}"
            faults.append(Fault(trait.path, trait.line, message, "Remove one of these references"))
    return faults


def read_ladders(
    files: Sequence[File], currency: str, catalog: Catalog, known: Known
) -> tuple[dict[str, Ladder], dict[str, Segment | None], list[Fault]]:
    """Ladder id to ladder, the segment of each rung (None where its ladder is faulty), faults."""
    ladders: dict[str, Ladder] = {}
    rungs: dict[str, Segment | None] = {}
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    for file, shown in files:
        desk = Desk(shown, currency, catalog, traits=known)
        if file.stem in seen:
            desk.fault(1, f"has the id of {seen[file.stem]}", "Rename one of the two")
        seen.setdefault(file.stem, shown)
        tree = _tree(desk, file, "a ladder")
        if tree is not None:
            rungs |= {f"{file.stem}.{name}": None for name in _named(tree)}
            found = ladder_of(desk, tree)
            if found is not None and not desk.faults:
                ladders[found[0].id] = found[0]
                rungs |= {one.id: one for one in found[1]}
        faults += desk.faults
    return ladders, rungs, faults


def _named(tree: Tree) -> Iterable[str]:
    """The ids of the rungs, as far as they can be read."""
    listed = tree.get("rungs") if isinstance(tree, Map) else None
    for item in listed.items if isinstance(listed, Seq) else ():
        name = item.get("rung") if isinstance(item, Map) else None
        if isinstance(name, Scalar):
            yield name.text


def _tree(desk: Desk, file: Path, what: str) -> Tree | None:
    tree, broken = read(desk.path, file.read_bytes())
    desk.faults += broken
    if tree is None and not broken:
        desk.fault(1, "is empty", f"Write {what}, or delete the file")
    return tree
