"""Every rule's examples, run: unit tests of segments."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audiencehub.rules.book import RuleBook
from audiencehub.rules.decide import decided_by
from audiencehub.rules.evaluate import Evaluation
from audiencehub.rules.flip import nearest
from audiencehub.rules.language.profile import clock_of_example, profile_from_example
from audiencehub.rules.plain.traits import complete, trace
from audiencehub.rules.words import value_text

TRAIT = "trait."
"""Before the id of a trait, where segments and traits are named side by side."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One example of one segment."""

    segment: str
    number: int
    """From 1, in the order of the file."""
    name: str
    path: str
    line: int
    expected: bool
    actual: bool
    near_miss: bool
    """It must fail by one clause alone."""
    decided: tuple[str, ...]
    """The clauses that decide, with the values seen."""
    changes: tuple[str, ...]
    """The fewest changes that would turn the verdict round; empty when nothing can."""

    @property
    def passed(self) -> bool:
        """The rule said what the example expects, and a near miss is one."""
        near = not self.near_miss or len(self.changes) == 1
        return self.expected == self.actual and near

    @property
    def why(self) -> str:
        """For a failure: what would have given the verdict expected; else empty."""
        if self.passed:
            return ""
        changes = "; and ".join(self.changes)
        if self.expected != self.actual:
            return changes
        return f"one change alone, not {len(self.changes)}: {changes}" if changes else "a way in"


def run_examples(
    book: RuleBook, clock: datetime, segments: Iterable[str] | None = None
) -> list[Outcome]:
    """An outcome per example, by segment and number, and then those of traits, which are named
    `trait.<id>`; `at:` of an example outdoes the clock.

    References to segments read the example's `segments`, never another rule.
    """
    names = list(segments or (*book.segments, *(f"{TRAIT}{one}" for one in book.traits)))
    traits = {name.removeprefix(TRAIT) for name in names if name not in book.segments}
    return [
        *_of_segments(book, clock, [name for name in names if name in book.segments]),
        *_of_traits(book, clock, traits),
    ]


def _of_segments(book: RuleBook, clock: datetime, names: Iterable[str]) -> list[Outcome]:
    out = []
    for segment in (book.segments[name] for name in names):
        for number, example in enumerate(segment.examples, 1):
            moment = clock_of_example(example.given, clock, book.zone)
            given = profile_from_example(example.given, moment, book.zone)
            profile = complete(book.traits, given, moment, book.zone)
            evaluation = Evaluation(profile, moment, book.zone)
            root = evaluation.node(segment.when)
            flip = nearest(root, evaluation)
            out.append(
                Outcome(
                    segment.id,
                    number,
                    example.name,
                    segment.path,
                    example.line,
                    example.member,
                    root.verdict,
                    example.near_miss,
                    decided_by(root, book.zone),
                    flip.changes if flip else (),
                )
            )
    return out


def _plain(value: Any, book: RuleBook) -> Any:
    """A trait's value as examples give it: of an instant the day."""
    return value.astimezone(book.zone).date() if isinstance(value, datetime) else value


def _of_traits(book: RuleBook, clock: datetime, names: Collection[str]) -> list[Outcome]:
    """An outcome per example of a trait, under the name `trait.<id>`: expected is that it has the
    value described."""
    out = []
    for trait in (one for name, one in book.traits.items() if name in names):
        for number, example in enumerate(trait.examples, 1):
            moment = clock_of_example(example.given, clock, book.zone)
            profile = profile_from_example(example.given, moment, book.zone)
            found = trace(book.traits, profile, moment, book.zone)
            wrong = tuple(
                f"{name} is {value_text(found[name].value, book.zone)},"
                f" not {value_text(wanted, book.zone)}"
                for name, wanted in example.values.items()
                if _plain(found[name].value, book) != wanted
            )
            seen = tuple(f"{name} {value_text(found[name].value, book.zone)}" for name in found)
            where = (f"{TRAIT}{trait.id}", number, example.name, trait.path, example.line)
            out.append(Outcome(*where, True, not wrong, False, seen, wrong))
    return out
