"""Ranks, in words."""

from __future__ import annotations

from audiencehub.rules.evaluate import Evaluation
from audiencehub.rules.language.form import Rank
from audiencehub.rules.plain.clause import Clause
from audiencehub.rules.plain.rank import last_place
from audiencehub.rules.telling.change import Flip


def text(node: Rank) -> str:
    """`among the top 10% by account.annual_revenue within account.country`."""
    size = str(node.count) if node.count is not None else f"{(node.share or 0) * 100:f}"
    if node.count is None:
        size = f"{size.rstrip('0').rstrip('.') if '.' in size else size}%"
    end, _, rest = node.order.partition(" ")
    return f"among the {end} {size} by {rest}"


def seen(clause: Clause) -> str:
    """`place 3 of 40`."""
    if clause.value is None:
        return "unknown"
    return f"place {clause.value}{f' of {clause.kept}' if clause.kept else ''}"


def flip(clause: Clause, at: Evaluation) -> Flip:
    """How many must be overtaken, or must overtake."""
    node = clause.node
    assert isinstance(node, Rank)
    place = at.profile.ranks.get(node.order)
    last = last_place(node, place) if place is not None else None
    if place is None or last is None or clause.value is None:
        return Flip(2.0, (f"{text(node)} (now unknown)",))
    now = f"now {seen(clause)}"
    if clause.verdict:
        gap = last - place.place + 1
        return Flip(
            1 + gap / (gap + last), (f"{gap} more come ahead: no longer {text(node)} ({now})",)
        )
    gap = place.place - last
    return Flip(1 + gap / place.place, (f"{text(node)}: {gap} places up ({now}, needs {last})",))
