"""Two versions of a rule on the same data: who enters, who leaves, and which clause decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from audiencehub.insight.people import load_profiles
from audiencehub.insight.preview import who
from audiencehub.insight.trial import Trial, part_id, parts, sample
from audiencehub.model import Entity
from audiencehub.rules import Segment, explain
from audiencehub.rules.language.form import Any_, said
from audiencehub.rules.words import whole_text

Version = Literal["before", "now"]


@dataclass(frozen=True, slots=True)
class Cause:
    """A clause that decides for some of those who move."""

    clause: str
    version: Version
    """Whose clause it is."""
    holds: bool
    """It is this clause that lets them in (or let them in); else it keeps them out."""
    line: int
    count: int

    def __str__(self) -> str:
        when = "the version before" if self.version == "before" else "this version"
        verb = "lets in by" if self.holds else "keeps out by"
        return f"{when} {verb}: {self.clause}"


@dataclass(frozen=True, slots=True)
class Mover:
    """One of those who move, by chance, without anything that names a person."""

    id: int
    who: str
    why: tuple[str, ...]
    """What the version that does not have them asks for."""


@dataclass(frozen=True, slots=True)
class Movement:
    """From one version to the other, at one date."""

    both: int
    enter: int
    leave: int
    entering: tuple[Cause, ...]
    leaving: tuple[Cause, ...]
    enter_sample: tuple[Mover, ...]
    leave_sample: tuple[Mover, ...]

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def movement(old: Trial, new: Trial, segment: str, people: int) -> Movement:
    """What changes between two versions, both tried on the same connection and clock with the
    segment's clauses apart, the old one put aside. `people`: how many movers are shown."""
    pair = _Pair(old, new, segment)
    entity = new.of(segment)
    enter, leave = pair.ids(pair.entering), pair.ids(pair.leaving)
    return Movement(
        pair.count(pair.both),
        len(enter),
        len(leave),
        pair.causes("before", "now"),
        pair.causes("now", "before"),
        _movers(old, segment, entity, sample(enter, people, segment)),
        _movers(new, segment, entity, sample(leave, people, segment)),
    )


class _Pair:
    """Both versions' verdicts side by side: `o` before, `n` now."""

    def __init__(self, old: Trial, new: Trial, segment: str) -> None:
        self.trials = {"before": (old, "o"), "now": (new, "n")}
        self.connection, self.segment = new.connection, segment
        entity = new.of(segment)
        self.key = f"{entity}_id"
        self.joined = f"{old.table(entity)} AS o JOIN {new.table(entity)} AS n USING ({self.key})"
        before, now = old.holds(segment, "o"), new.holds(segment, "n")
        self.both = f"{before} AND {now}"
        self.entering = f"{now} AND NOT {before}"
        self.leaving = f"{before} AND NOT {now}"

    def count(self, condition: str) -> int:
        rows = self.connection.execute(f"SELECT count(*) FROM {self.joined} WHERE {condition}")
        return int(rows.fetchall()[0][0])

    def ids(self, condition: str) -> list[int]:
        rows = self.connection.execute(
            f"SELECT {self.key} FROM {self.joined} WHERE {condition} ORDER BY 1"
        ).fetchall()
        return [int(row[0]) for row in rows]

    def causes(self, without: Version, having: Version) -> tuple[Cause, ...]:
        """Why one has people whom the other does not: the clauses of the one without that fail
        them, and where any of several is enough, those of the other that hold and are its own."""
        lacking = self._rule(without)
        known = {said(one) for one in parts(lacking)}
        moved = self.entering if having == "now" else self.leaving
        found: list[Cause] = []
        if not isinstance(lacking.when, Any_):
            found = [cause for cause, _ in self._deciding(without, moved, holds=False)]
        if isinstance(self._rule(having).when, Any_) or not found:
            admitting = self._deciding(having, moved, holds=True)
            found += [cause for cause, clause in admitting if clause not in known]
        return tuple(sorted(found, key=lambda one: (-one.count, one.line)))

    def _rule(self, version: Version) -> Segment:
        trial, _ = self.trials[version]
        return trial.book.segments[self.segment]

    def _deciding(
        self, version: Version, moved: str, *, holds: bool
    ) -> Iterator[tuple[Cause, str]]:
        """The clauses of a version with how many of those who move they hold for, or fail."""
        trial, alias = self.trials[version]
        clauses = parts(self._rule(version))
        tests = [trial.holds(part_id(self.segment, n), alias) for n in range(len(clauses))]
        listed = ", ".join(f"count(*) FILTER ({'' if holds else 'NOT '}{one})" for one in tests)
        row = self.connection.execute(f"SELECT {listed} FROM {self.joined} WHERE {moved}")
        for clause, count in zip(clauses, row.fetchall()[0], strict=True):
            if count:
                cause = Cause(whole_text(clause), version, holds, clause.line, int(count))
                yield cause, said(clause)


def _movers(trial: Trial, segment: str, entity: Entity, ids: Sequence[int]) -> tuple[Mover, ...]:
    """What the trial's version, which does not have them, asks of each."""
    members, rules = trial.memberships(entity, ids), [trial.book.segments[segment]]
    profiles = load_profiles(trial.connection, entity, set(ids), members, rules)
    out = []
    for number in ids:
        profile = profiles.get(number)
        if profile is not None:
            (found,) = explain(trial.book, profile, trial.clock, [segment])
            out.append(Mover(number, who(entity, profile.contact, profile.account), found.flip))
    return tuple(out)
