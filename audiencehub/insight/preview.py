"""What a rule would do before it does anything: its size, what each clause keeps, whom it meets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from audiencehub.insight.people import load_profiles
from audiencehub.insight.trial import Trial, part_id, parts, sample
from audiencehub.model import Entity
from audiencehub.rules import facts
from audiencehub.rules.language.form import All, Any_
from audiencehub.rules.words import whole_text

OVERLAPS = 5
"""Segments shown beside; those that share the most."""


@dataclass(frozen=True, slots=True)
class Step:
    """One clause of the rule, in the order it is written."""

    clause: str
    line: int
    alone: int
    """How many fulfil this clause, whatever the others say."""
    running: int
    """Of `all`: how many are left after this and the clauses before it; of `any`: how many are in
    by this or one before it."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another segment of the same kind that shares members with this one."""

    segment: str
    label: str
    size: int
    both: int
    share: float
    """Of this rule's members, how many are in the other too."""
    jaccard: float
    """Of all that are in either, how many are in both."""


@dataclass(frozen=True, slots=True)
class Someone:
    """One member by chance, without anything that names a person."""

    id: int
    who: str
    """Masked e-mail, title and company; of an account name and domain."""
    why: tuple[str, ...]
    """The clauses that decide."""


@dataclass(frozen=True, slots=True)
class Change:
    """The rule against who the run that left the copy made a member."""

    members: int
    """Now; 0 where no run has seen the segment."""
    enter: int
    """Match and are no members."""
    gone: int
    """Members who do not match: they leave, or `stay` still keeps them."""
    stay: str
    """In words how long the rule keeps whom it has let in; empty when it does not."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The answer for one rule."""

    segment: str
    label: str
    of: Entity
    clock: datetime
    size: int
    total: int
    joined: Literal["all", "any", "one"]
    """What stands on top of the rule."""
    steps: tuple[Step, ...]
    overlap: tuple[Overlap, ...]
    sample: tuple[Someone, ...]
    change: Change

    @property
    def share(self) -> float:
        """Of all there are, 0 to 1."""
        return self.size / self.total if self.total else 0.0

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "clock": self.clock.isoformat(), "share": self.share}


def preview(trial: Trial, segment: str, people: int) -> Preview:
    """The rule as the trial evaluated it with that segment's clauses apart.

    `people`: how many members are shown.
    """
    rule = trial.book.segments[segment]
    total, size = _sizes(trial, segment)
    kind: Literal["all", "any", "one"] = (
        "all" if isinstance(rule.when, All) else "any" if isinstance(rule.when, Any_) else "one"
    )
    ids = trial.ids(segment)
    return Preview(
        segment,
        rule.label,
        rule.of,
        trial.clock,
        size,
        total,
        kind,
        _steps(trial, segment, kind),
        _overlap(trial, segment, size),
        someone(trial, segment, sample(ids, people, segment)),
        _change(trial, segment, set(ids)),
    )


def _change(trial: Trial, segment: str, matching: set[int]) -> Change:
    rule = trial.book.segments[segment]
    rows = trial.connection.execute(
        "SELECT id FROM member WHERE entity = ? AND segment = ?", [rule.of, segment]
    ).fetchall()
    members = {int(row[0]) for row in rows}
    enter, gone = len(matching - members), len(members - matching)
    return Change(len(members), enter, gone, str(rule.stay or ""))


def _sizes(trial: Trial, segment: str) -> tuple[int, int]:
    found = trial.counts(trial.of(segment), {"total": "true", "size": trial.holds(segment)})
    return found["total"], found["size"]


def _steps(trial: Trial, segment: str, kind: str) -> tuple[Step, ...]:
    clauses = parts(trial.book.segments[segment])
    tests = [trial.holds(part_id(segment, number)) for number in range(len(clauses))]
    word = " OR " if kind == "any" else " AND "
    conditions = {f"alone {n}": test for n, test in enumerate(tests)}
    conditions |= {f"running {n}": word.join(tests[: n + 1]) for n in range(len(tests))}
    found = trial.counts(trial.of(segment), conditions)
    return tuple(
        Step(whole_text(clause), clause.line, found[f"alone {n}"], found[f"running {n}"])
        for n, clause in enumerate(clauses)
    )


def _overlap(trial: Trial, segment: str, size: int) -> tuple[Overlap, ...]:
    entity, here = trial.of(segment), trial.holds(segment)
    others = [
        name
        for name, one in trial.book.segments.items()
        if one.of == entity and name != segment and "#" not in name
    ]
    conditions = {f"size {name}": trial.holds(name) for name in others}
    conditions |= {f"both {name}": f"{here} AND {trial.holds(name)}" for name in others}
    found = trial.counts(entity, conditions)
    shared = []
    for name in others:
        both, other = found[f"both {name}"], found[f"size {name}"]
        if both:
            label = trial.book.segments[name].label
            jaccard = both / (size + other - both)
            shared.append(Overlap(name, label, other, both, both / size, jaccard))
    return tuple(sorted(shared, key=lambda one: (-one.jaccard, one.segment))[:OVERLAPS])


def someone(trial: Trial, segment: str, ids: list[int]) -> tuple[Someone, ...]:
    """These members, each with what decides."""
    rule = trial.book.segments[segment]
    members = trial.memberships(rule.of, ids)
    profiles = load_profiles(trial.connection, rule.of, set(ids), members, [rule])
    return tuple(
        Someone(
            number,
            who(rule.of, profiles[number].contact, profiles[number].account),
            facts(rule, profiles[number], trial.clock, trial.book.zone),
        )
        for number in ids
        if number in profiles
    )


def who(entity: Entity, contact: Any, account: Any) -> str:
    """Enough to recognize someone who is known, too little to write to them."""
    company = dict(account or {})
    if entity == "account":
        said = (company.get("name"), company.get("domain"), company.get("industry"))
    else:
        person = dict(contact or {})
        said = (masked(person.get("email")), person.get("title"), company.get("name"))
    return ", ".join(str(part) for part in said if part) or "nothing known"


def masked(email: str | None) -> str:
    """`a…@northwind.example`: the domain stays, the person does not."""
    if not email:
        return ""
    name, _, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"
