"""Which clauses decide a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from audiencehub.rules.language.form import All, Any_, Not, SegmentRef
from audiencehub.rules.plain.clause import Clause
from audiencehub.rules.words import node_text, value_text


def deciding(clause: Clause, negated: bool = False) -> Iterator[tuple[Clause, bool]]:
    """The leaves that carry the verdict, and whether they stand below a `not`: of a false `all`
    those that fail, of a true `any` those that hold, and so on down."""
    if isinstance(clause.node, All | Any_):
        for part in clause.parts:
            if part.verdict == clause.verdict:
                yield from deciding(part, negated)
    elif isinstance(clause.node, Not) and clause.node.rung and clause.verdict:
        return
    elif isinstance(clause.node, Not):
        yield from deciding(clause.parts[0], not negated)
    else:
        yield clause, negated


def decided_by(clause: Clause, zone: ZoneInfo) -> tuple[str, ...]:
    """Those leaves in words, with the value seen: `✗ account.employee_count at least 10 (9)`."""
    return tuple(dict.fromkeys(_said(*one, zone) for one in deciding(clause)))


def _said(clause: Clause, negated: bool, zone: ZoneInfo) -> str:
    mark = "✓" if clause.verdict != negated else "✗"
    seen = "" if isinstance(clause.node, SegmentRef) else f" ({value_text(clause.value, zone)})"
    return f"{mark} {'not ' * negated}{node_text(clause.node)}{seen}"
