"""Every rule's examples, run: unit tests of segments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from audiencehub.rules.book import RuleBook
from audiencehub.rules.evaluate import Evaluation
from audiencehub.rules.flip import nearest
from audiencehub.rules.language.profile import clock_of_example, profile_from_example


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
    why: str
    """For a failure: the nearest change that would have given the verdict expected."""

    @property
    def passed(self) -> bool:
        """The rule said what the example expects."""
        return self.expected == self.actual


def run_examples(
    book: RuleBook, clock: datetime, segments: Iterable[str] | None = None
) -> list[Outcome]:
    """An outcome per example, by segment and number; `at:` of an example outdoes the clock.

    References to segments read the example's `segments`, never another rule.
    """
    out = []
    for segment in (book.segments[name] for name in (segments or book.segments)):
        for number, example in enumerate(segment.examples, 1):
            moment = clock_of_example(example.given, clock, book.zone)
            profile = profile_from_example(example.given, moment, book.zone)
            evaluation = Evaluation(profile, moment, book.zone)
            root = evaluation.node(segment.when)
            flip = nearest(root, evaluation) if root.verdict != example.member else None
            why = "; and ".join(flip.changes) if flip else ""
            out.append(
                Outcome(
                    segment.id,
                    number,
                    example.name,
                    segment.path,
                    example.line,
                    example.member,
                    root.verdict,
                    why,
                )
            )
    return out
