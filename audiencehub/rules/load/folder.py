"""All rule files of a folder, read together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from audiencehub.errors import ConfigError, Fault, Faults
from audiencehub.rules.book import RuleBook, Segment
from audiencehub.rules.language.catalog import CATALOG, Catalog, near
from audiencehub.rules.language.form import Contacts, Past, SegmentRef, deep, walk
from audiencehub.rules.language.trait import Score, Trait
from audiencehub.rules.load.computed import read_ladders, read_traits
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.segment import segment_of
from audiencehub.rules.load.tree import read


def load(
    folder: Path,
    *,
    zone: ZoneInfo,
    currency: str = "USD",
    catalog: Catalog = CATALOG,
    root: Path | None = None,
) -> RuleBook:
    """The rule book of a folder. Paths in faults are shown relative to `root`.

    Raises Faults with every fault of every file, and ConfigError when there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"There is no folder of rules at {folder}.",
            hint="Create it, or correct rules in deployments/<env>.toml",
        )
    faults: list[Fault] = []
    segments: dict[str, Segment] = {}
    paths: dict[str, str] = {}
    faulty_files: list[Desk] = []
    files, misplaced = _sorted(folder, root or folder.parent)
    faults += misplaced
    traits, known, wrong = read_traits(files["traits"], currency, catalog)
    ladders, rungs, faulty = read_ladders(files["ladders"], currency, catalog, known)
    faults += [*wrong, *faulty]
    for file, shown in files["segments"]:
        if file.stem in paths:
            faults.append(
                Fault(shown, 1, f"has the id of {paths[file.stem]}", "Rename one of the two")
            )
        paths.setdefault(file.stem, shown)
        desk = Desk(shown, currency, catalog, traits=known)
        segment = read_segment(desk, file.read_bytes())
        faults += desk.faults
        if segment is not None:
            segments.setdefault(segment.id, segment)
        else:
            faulty_files.append(desk)
    segments |= {one.id: one for one in rungs.values() if one is not None}
    paths |= dict.fromkeys(rungs, "")
    faults += _references(segments, paths) + _seeds(traits, segments, paths)
    for desk in faulty_files:
        faults += [
            _nowhere(desk.path, *one, paths) for one in desk.references if one[0] not in paths
        ]
    if faults:
        raise Faults(faults)
    return RuleBook(segments, zone, currency, traits, ladders, catalog)


def read_segment(desk: Desk, raw: bytes) -> Segment | None:
    """One segment from the bytes of its file; the desk collects the faults."""
    tree, broken = read(desk.path, raw)
    desk.faults += broken
    if tree is None:
        if not broken:
            desk.fault(1, "is empty", "Write a segment, or delete the file")
        return None
    segment = segment_of(desk, tree)
    return None if desk.faults else segment


def _shown(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def _sorted(folder: Path, root: Path) -> tuple[dict[str, list[tuple[Path, str]]], list[Fault]]:
    """Files with the path to show, by what they hold: segments, traits or ladders."""
    found: dict[str, list[tuple[Path, str]]] = {"segments": [], "traits": [], "ladders": []}
    faults = []
    for file in sorted((*folder.rglob("*.yaml"), *folder.rglob("*.yml"))):
        shown = _shown(file, root)
        if file.suffix == ".yml":
            faults.append(Fault(shown, 1, "ends in .yml", f"Rename it to {file.stem}.yaml"))
            continue
        first = file.relative_to(folder).parts[0]
        found[first if first in ("traits", "ladders") else "segments"].append((file, shown))
    return found, faults


def _references(segments: Mapping[str, Segment], paths: Mapping[str, str]) -> list[Fault]:
    faults = []
    for one in segments.values():
        of_contacts = {
            id(n) for c in walk(one.when) if isinstance(c, Contacts) for n in deep(c.where)
        }
        for node in deep(one.when):
            if not isinstance(node, SegmentRef | Past):
                continue
            other = segments.get(node.segment)
            if node.segment not in paths:
                faults.append(_nowhere(one.path, node.segment, node.line, paths))
            elif (
                other is not None
                and one.of == "account"
                and other.of == "contact"
                and id(node) not in of_contacts
            ):
                message = f"{node.segment!r} is a segment of contacts; this one is of accounts"
                hint = "Write contacts: {where: {segment: …}}, or make it a segment of: contact"
                faults.append(Fault(one.path, node.line, message, hint))
        faults += [
            _nowhere(one.path, name, goes.line, paths)
            for goes in one.activate
            for name in goes.exclude
            if name not in paths
        ]
    return faults + _cycles(segments)


def _seeds(
    traits: Mapping[str, Trait], segments: Mapping[str, Segment], paths: Mapping[str, str]
) -> list[Fault]:
    """Models that are to learn likeness to what is no segment of contacts."""
    faults = []
    for trait in traits.values():
        for column in trait.columns:
            lesson = column.body.learns if isinstance(column.body, Score) else None
            if lesson is None or not lesson.like:
                continue
            seed = segments.get(lesson.like)
            if lesson.like not in paths:
                faults.append(_nowhere(trait.path, lesson.like, lesson.line, paths))
            elif seed is not None and seed.of != "contact":
                message = f"{lesson.like!r} is a segment of accounts"
                hint = "Name a segment of: contact"
                faults.append(Fault(trait.path, lesson.line, message, hint))
    return faults


def _nowhere(path: str, name: str, line: int, paths: Mapping[str, str]) -> Fault:
    return Fault(path, line, f"refers to {name!r}, which is no segment", near(name, paths))


def _cycles(segments: Mapping[str, Segment]) -> list[Fault]:
    """One fault per circle, at the reference that closes it."""
    faults: list[Fault] = []
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            circle = " -> ".join((*trail[trail.index(name) :], name))
            closer = segments[trail[-1]]
            line = next(
                n.line for n in deep(closer.when) if isinstance(n, SegmentRef) and n.segment == name
            )
            hint = "Remove one of these references"
            faults.append(Fault(closer.path, line, f"segments refer in a circle: {circle}", hint))
        elif name not in done and name in segments:
            for need in segments[name].needs:
                visit(need, (*trail, name))
            done.add(name)

    for name in segments:
        visit(name, ())
    return faults
