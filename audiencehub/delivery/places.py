"""Places: which targets a destination has, and which segments go to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from audiencehub.connector import Capabilities
from audiencehub.model import Entity, TagOption, Target
from audiencehub.settings import DestinationEntry, Settings

SERVES: Mapping[Entity, tuple[str, ...]] = {"contact": ("contact", "lead"), "account": ("account",)}
"""The CRM objects that a segment's tag goes to, by what the segment is of."""


class Activation(Protocol):
    """Where a segment goes, as the rule book says it."""

    @property
    def to(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def max_removals_share(self) -> float | None: ...  # noqa: D102
    @property
    def max_removals_count(self) -> int | None: ...  # noqa: D102
    @property
    def exclude(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def most(self) -> int | None: ...  # noqa: D102
    @property
    def use(self) -> str: ...  # noqa: D102


class Experiment(Protocol):
    """A share that is held back."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def holdout(self) -> float: ...  # noqa: D102


class Segment(Protocol):
    """What delivery reads of a segment."""

    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def of(self) -> Entity: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def activate(self) -> Sequence[Activation]: ...  # noqa: D102
    @property
    def experiment(self) -> Experiment | None: ...  # noqa: D102


class Book(Protocol):
    """What delivery reads of a rule book."""

    @property
    def segments(self) -> Mapping[str, Segment]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Place:
    """One target with the segments that go there now; none when it is only to be cleared."""

    target: Target
    segments: Mapping[str, Segment]
    activations: Mapping[str, Activation]

    @property
    def versions(self) -> dict[str, str]:
        """The rule version of each segment."""
        return {name: segment.version for name, segment in self.segments.items()}

    def options(self, held: Iterable[str]) -> list[TagOption]:
        """Every value that the tag field must allow: those to write, and those still held."""
        labels = {name: name for name in held}
        labels |= {name: segment.label for name, segment in self.segments.items()}
        return [TagOption(name, label) for name, label in sorted(labels.items())]


def places(
    book: Book, name: str, entry: DestinationEntry, can: Capabilities, known: Iterable[Target]
) -> list[Place]:
    """The destination's targets, sorted by id: where a segment goes, and those `known` besides."""
    wanted: dict[str, Place] = {}
    served = [p for p in can.places if entry.places is None or p in entry.places]
    for segment_id, segment in book.segments.items():
        for activation in segment.activate:
            if activation.to != name or activation.kind not in can.kinds:
                continue
            for target in _targets(name, segment_id, segment, activation, served):
                place = wanted.setdefault(target.id, Place(target, {}, {}))
                wanted[target.id] = replace(
                    place,
                    segments={**place.segments, segment_id: segment},
                    activations={**place.activations, segment_id: activation},
                )
    for target in known:
        if target.id in wanted:
            found = wanted[target.id]
            kept = replace(found.target, remote=target.remote)
            wanted[target.id] = replace(found, target=kept)
        else:
            wanted[target.id] = Place(target, {}, {})
    return [wanted[target_id] for target_id in sorted(wanted)]


def above(book: Book, settings: Settings, place: Place, can: Capabilities) -> list[Place]:
    """The lists of the same priority that come before this one, the highest first."""
    name = place.target.destination
    ranked = settings.above(name, place.target.place)
    if not ranked:
        return []
    found = {
        one.target.place: one
        for one in places(book, name, settings.destinations[name], can, ())
        if one.target.kind == "list"
    }
    return [found[segment] for segment in ranked if segment in found]


def _targets(
    name: str, segment_id: str, segment: Segment, activation: Activation, served: Sequence[str]
) -> list[Target]:
    if activation.kind == "list":
        label = activation.name or segment.label
        marked = f"Exclude: {label}" if activation.use == "exclude" else label
        return [Target(name, "list", segment_id, label=marked)]
    return [Target(name, "tag", place) for place in SERVES[segment.of] if place in served]


def record_sources(settings: Settings, name: str) -> list[str]:
    """The sources whose records a tag destination writes to: its namesake, else its connector's."""
    connector = settings.destinations[name].connector
    same = [key for key, one in settings.sources.items() if one.connector == connector]
    return [name] if name in same else same


def may_send(
    entry: DestinationEntry, endpoints: Mapping[str, str], *, dry_run: bool = False
) -> bool:
    """Whether a run may write there: `live` to the vendor, `sandbox` only where a fake listens."""
    if dry_run or entry.mode == "dry_run":
        return False
    return entry.mode == "live" or entry.connector in endpoints
