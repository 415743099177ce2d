"""Explanations as a terminal shows them: in full, in brief, and a ladder as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audiencehub.cli.common import console, fold
from audiencehub.cli.planned import LEFT_OUT
from audiencehub.delivery.standing import Standing
from audiencehub.rules import Explanation, RuleBook
from audiencehub.rules.explain import Line
from audiencehub.rules.language.trait import Ladder

EARLIER = "not on an earlier rung"
GROUPS = ("all of", "any of")


def show(book: RuleBook, found: Sequence[Explanation], *, asked: bool) -> None:
    """Who is in, in full; each ladder as one, by the rung that was reached; the rest in brief.

    `asked` for by name, every segment has its own place.
    """
    ladders = {} if asked else {one.segment: _ladder(book, one.segment) for one in found}
    told = [one for one in found if ladders.get(one.segment) is None]
    for one in told:
        console.print()
        if one.matches or one.member or len(found) == 1:
            _full(one)
        else:
            _brief(one)
    for ladder in dict.fromkeys(one for one in ladders.values() if one is not None):
        console.print()
        rungs = {one.segment: one for one in found}
        _rungs(ladder, [rungs[one.segment] for one in ladder.rungs if one.segment in rungs])


def lists(found: Sequence[Standing]) -> list[str]:
    """A line for each list: on it, to be added, to be taken off, or why not on it."""
    lines = []
    for one in found:
        why = LEFT_OUT.get(one.why_not, one.why_not)
        if one.why_not:
            said = f"on it, to be taken off: {why}" if one.there else f"not on it: {why}"
        else:
            said = "on it" if one.there else "to be added by the next push"
        lines.append(f"  {one.target}: {said}")
    return ["lists:", *lines] if lines else []


def _ladder(book: RuleBook, segment: str) -> Ladder | None:
    return book.ladders.get(book.segments[segment].ladder)


def _full(one: Explanation) -> None:
    for place, line in enumerate(one.lines()):
        fold(line, style="bold" if place == 0 else None)


def _brief(one: Explanation) -> None:
    head, *_ = one.lines()
    fold(head, style="bold dim")
    for line in failing(one.clauses):
        fold(f"  {line}", style="dim")
    if one.flip:
        near = "near miss, " * one.near_miss
        fold(f"  {near}to enter: {'; and '.join(one.flip)}", style="dim")


def _rungs(ladder: Ladder, rungs: Sequence[Explanation]) -> None:
    reached = [one for one in rungs if one.matches or one.member]
    names = ", ".join(one.label for one in reached) or "on no rung"
    fold(f"{ladder.label} [ladder {ladder.id}]: {names}", style="bold")
    for one in reached:
        for line in one.lines()[1:]:
            fold(line)
    behind = [one.label for one in rungs if one not in reached and _only_behind(one)]
    if behind:
        fold(f"  would do, but an earlier rung comes first: {', '.join(behind)}", style="dim")
    for one in rungs:
        if one.near_miss and one not in reached and not _only_behind(one):
            fold(f"  near miss of {one.label}: {'; and '.join(one.flip)}", style="dim")
    fold(f"  every rung: explain … --segment {ladder.id}", style="dim")


def _only_behind(one: Explanation) -> bool:
    """The rung has a condition of its own, and it holds."""
    below = [line for line in one.clauses if line.depth == 1]
    own = [line for line in below if not line.clause.startswith(EARLIER)]
    return bool(own) and len(own) < len(below) and all(line.verdict for line in own)


def failing(clauses: Sequence[Line]) -> list[str]:
    """The clauses right below the rule's root that are false: a group with what is false in it, a
    `not` with what it excludes."""
    lines = [
        _said(clauses, place)
        for place, line in enumerate(clauses)
        if not line.verdict and line.depth == 1
    ]
    return lines or [_said(clauses, 0)]


def _said(clauses: Sequence[Line], place: int) -> str:
    line = clauses[place]
    if line.clause == "not":
        return f"{str(line).strip()} {clauses[place + 1].clause}"
    inside = list(_leaves(clauses, place)) if line.clause in GROUPS else []
    return f"{str(line).strip()}: {'; '.join(inside)}" if inside else str(line).strip()


def _leaves(clauses: Sequence[Line], group: int) -> Iterator[str]:
    """What is false somewhere below a false group and is no group itself."""
    depth, skip = clauses[group].depth, 0
    for place, line in enumerate(clauses[group + 1 :], group + 1):
        if line.depth <= depth:
            return
        if skip and line.depth > skip:
            continue
        skip = 0 if line.clause in GROUPS else line.depth
        if skip and not line.verdict:
            yield _said(clauses, place) if line.clause == "not" else str(line).strip()
