"""Ranks: the place is known beforehand, for it takes everyone to tell; the verdict is here."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from audiencehub.rules.language.form import Rank
from audiencehub.rules.language.profile import Place
from audiencehub.rules.plain.clause import Clause

if TYPE_CHECKING:
    from audiencehub.rules.evaluate import Evaluation


def judge(node: Rank, at: Evaluation) -> Clause:
    """The verdict, with the place as the value and the size of the group as `kept`."""
    if node.scope == "account" and at.profile.account is None:
        return Clause(node, False)
    place = at.profile.ranks.get(node.order)
    if place is None:
        return Clause(node, False)
    last = last_place(node, place)
    inside = last is not None and place.place <= last
    return Clause(node, inside, place.place, kept=place.of or 0)


def last_place(node: Rank, place: Place) -> int | None:
    """The last place that is in; None for a share of a group whose size is unknown."""
    if node.count is not None:
        return node.count
    assert node.share is not None, "a rank has a count or a share"
    return None if place.of is None else ceil(node.share * place.of)
