"""Movement: per segment of a plan who enters and leaves, and by which clauses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from audiencehub.delivery.places import Place, Segment
from audiencehub.ledger import Ledger, PlanChange

TOLD = 3
"""Clauses told per segment and direction, and members named."""
WITHHELD = "withheld: consent, suppression, holdout, or no identifier any more"
UNKNOWN = "no reason is known"
_FIGURES = re.compile(r" \((?:now )?[^()]*\)")
_TESTED = (
    "is(?: not)?|known|unknown|more|less|at|between|before|after|within|older|starts|ends|contains|"
    "matches|no|in|next|any|none"
)
_VALUE = re.compile(rf"((?:contact|account|trait|custom)\.[\w.]+) (?!(?:{_TESTED})\b).+")
"""A fact that only says what a field holds: the clause is the field."""

Reasons = dict[tuple[str, int], str]
"""Segment and contact (account, on targets of accounts) to the line of reason."""


@dataclass(slots=True)
class Movement:
    """What a plan does to one segment at its target."""

    segment: str
    enters: int = 0
    leaves: int = 0
    rule: str = ""
    """`new`, or `v1a2b to v9f3c` where the rule is another than with the last push."""
    entered_by: list[tuple[str, int]] = field(default_factory=list)
    """(clauses that are true, members), without their figures; the most frequent first."""
    left_by: list[tuple[str, int]] = field(default_factory=list)
    """(clauses that are not true any more, members)."""
    sample_in: list[str] = field(default_factory=list)
    """Some members that enter, as the target calls them: record ids, or person ids of ours."""
    sample_out: list[str] = field(default_factory=list)


def movements(
    connection: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    place: Place,
    changes: Sequence[PlanChange],
) -> list[Movement]:
    """One for each segment that moves, by name. Reasons come from the membership log: they hold
    no personal data, only fields whose privacy class is `none`."""
    found: dict[str, Movement] = {}
    into: dict[str, Counter[str]] = {}
    out: dict[str, Counter[str]] = {}
    entering = {name for one in changes for name in one.enters}
    leaving = {name for one in changes for name in one.leaves}
    came = _entered(connection, place, entering)
    went = _left(connection, ledger, place, leaving, changes)
    before = ledger.plans.versions_sent(place.target.id)
    for change in changes:
        for name in change.enters:
            one = found.setdefault(name, Movement(name))
            one.enters += 1
            one.sample_in += [change.member] * (len(one.sample_in) < TOLD)
            why = came.get((name, change.person or -1), UNKNOWN)
            into.setdefault(name, Counter())[clause(why)] += 1
        for name in change.leaves:
            one = found.setdefault(name, Movement(name))
            one.leaves += 1
            one.sample_out += [change.member] * (len(one.sample_out) < TOLD)
            why = went.get((name, change.person or -1), WITHHELD)
            out.setdefault(name, Counter())[WITHHELD if change.phase == 0 else clause(why)] += 1
    for name, one in found.items():
        one.rule = _rule(name, place, before)
        one.entered_by = into.get(name, Counter()).most_common(TOLD)
        one.left_by = out.get(name, Counter()).most_common(TOLD)
    return [found[name] for name in sorted(found)]


def clause(reason: str) -> str:
    """A line of reason without the figures and values of the one person it was written for."""
    parts = _FIGURES.sub("", reason.removeprefix("no longer: ")).split("; ")
    return "; ".join(_VALUE.sub(r"\1", one.strip()) for one in parts).strip() or UNKNOWN


def _rule(name: str, place: Place, before: Mapping[str, str]) -> str:
    now = place.versions.get(name)
    if not before or now is None or before.get(name) == now:
        return ""
    return f"v{before[name]} to v{now}" if name in before else "new"


def _entered(connection: duckdb.DuckDBPyConnection, place: Place, segments: set[str]) -> Reasons:
    found: Reasons = {}
    for name in sorted(segments & place.segments.keys()):
        segment = place.segments[name]
        people = _contacts(connection) if _through_accounts(place, segment) else None
        for number, why in connection.execute(
            "SELECT id, reason FROM member WHERE entity = ? AND segment = ?", [segment.of, name]
        ).fetchall():
            for one in [number] if people is None else people.get(number, ()):
                found[name, one] = why or UNKNOWN
    return found


def _left(
    connection: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    place: Place,
    segments: set[str],
    changes: Sequence[PlanChange],
) -> Reasons:
    found: Reasons = {}
    for name in sorted(segments):
        numbers = {one.person for one in changes if name in one.leaves and one.person is not None}
        segment = place.segments.get(name)
        if segment is None:
            found |= {(name, one): "the segment no longer goes there" for one in numbers}
        elif _through_accounts(place, segment):
            companies = _companies(connection)
            asked = {companies[one] for one in numbers if one in companies}
            lines = ledger.membership.left_because("account", name, asked)
            found |= {
                (name, one): lines[companies[one]] for one in numbers if companies.get(one) in lines
            }
        else:
            lines = ledger.membership.left_because(segment.of, name, numbers)
            found |= {(name, one): line for one, line in lines.items()}
    return found


def _through_accounts(place: Place, segment: Segment) -> bool:
    return place.target.kind == "list" and segment.of == "account"


def _companies(connection: duckdb.DuckDBPyConnection) -> dict[int, int]:
    sql = "SELECT contact_id, account_id FROM contact WHERE account_id IS NOT NULL"
    return dict(connection.execute(sql).fetchall())


def _contacts(connection: duckdb.DuckDBPyConnection) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for contact, account in _companies(connection).items():
        found.setdefault(account, []).append(contact)
    return found
