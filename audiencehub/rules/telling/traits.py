"""Traits in words: what each is for one profile, and how that came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.book import RuleBook
from audiencehub.rules.language.profile import Profile, Seen
from audiencehub.rules.language.trait import (
    DECIMALS,
    PERCENTILES,
    Band,
    Column,
    Measure,
    Points,
    Quantile,
    Ratio,
    Trait,
)
from audiencehub.rules.plain.traits import Traced, trace
from audiencehub.rules.words import node_text, value_text, whole_text


@dataclass(frozen=True, slots=True)
class TraitLine:
    """One trait of one profile."""

    trait: str
    """`<id>`, or `<id>.<part>`."""
    label: str
    of: str
    value: str
    """In words; `unknown` where it is."""
    how: str
    """What it was computed from; empty for the traits of a contact's account."""

    def __str__(self) -> str:
        return f"{self.trait}: {self.value}{f' ({self.how})' if self.how else ''}"

    def json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def explain_traits(book: RuleBook, profile: Profile, clock: datetime) -> tuple[TraitLine, ...]:
    """Every trait of the profile, and of its account as far as they are known."""
    traced = trace(book.traits, profile, clock, book.zone)
    found = []
    for trait in book.traits.values():
        for column in trait.columns:
            one = traced.get(column.name)
            if one is None and column.name not in profile.traits:
                continue
            value = profile.traits.get(column.name) if one is None else one.value
            how = how_text(column, one, book.zone) if one is not None else ""
            shown = _with_unit(trait, column, value_text(value, book.zone), value)
            found.append(TraitLine(column.name, trait.label, column.of, shown, how))
    return tuple(found)


def with_origins(book: RuleBook, profile: Profile, clock: datetime) -> Profile:
    """The profile with every trait that can be computed of it, and in `seen` how each came about,
    under `trait.<id>`."""
    columns = {one.name: one for trait in book.traits.values() for one in trait.columns}
    if not columns:
        return profile
    traced = trace(book.traits, profile, clock, book.zone)
    seen: Mapping[str, Seen] = {
        f"trait.{name}": Seen(how_text(columns[name], one, book.zone))
        for name, one in traced.items()
    }
    own = {name: one.value for name, one in traced.items()}
    seen = {**profile.seen, **seen}
    return replace(profile, seen=seen, traits={**own, **profile.traits})


def how_text(column: Column, traced: Traced, zone: ZoneInfo) -> str:
    """`sum of total over 3 rows: order within the last 365 days`."""
    body = column.body
    if isinstance(body, Measure):
        of = "" if body.how.startswith("days_since") else body.rows.aggregate.of
        what = f"{body.how.replace('_', ' ')}{f' of {of}' if of else ''}"
        rows = f"{traced.kept} row{'s' * (traced.kept != 1)}"
        return f"{what} over {rows}: {node_text(body.rows).rstrip(': ')}"
    read = [f"{name} {value_text(value, zone)}" for name, value in traced.reads]
    if isinstance(body, Ratio):
        return " over ".join(read) + f", cut to {DECIMALS} decimals"
    if isinstance(body, Points):
        return (
            "; ".join(
                f"{points:+d} for {whole_text(body.parts[int(place)][0])}"
                for place, points in traced.reads
            )
            or "no condition holds"
        )
    if isinstance(body, Quantile):
        return f"{_part_text(body, traced)}{', '.join(read)}"
    if isinstance(body, Band):
        return f"{', '.join(read)}; bands: {_bands_text(body)}"
    return ", ".join(read)


def _bands_text(body: Band) -> str:
    return ", ".join(
        name if bound is None else f"{name} below {value_text(bound)}" for name, bound in body.bands
    )


def _part_text(body: Quantile, traced: Traced) -> str:
    what = "percentile" if body.parts == PERCENTILES else f"one of {body.parts} parts"
    return f"{what} of " if traced.value is not None else "nothing to compare: "


def _with_unit(trait: Trait, column: Column, text: str, value: Any) -> str:
    numeric = column.type in ("integer", "money", "decimal", "number")
    single = len(trait.columns) == 1
    return (
        f"{text} {trait.unit}" if trait.unit and numeric and single and value is not None else text
    )


__all__ = ["TraitLine", "explain_traits", "how_text", "with_origins"]
