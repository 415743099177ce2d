"""Conditions on the contacts of an account, in words."""

from __future__ import annotations

from collections.abc import Callable

from audiencehub.rules.evaluate import Evaluation
from audiencehub.rules.language.form import Contacts, Node
from audiencehub.rules.plain.clause import Clause
from audiencehub.rules.telling.change import Flip

Nearest = Callable[[Clause, Evaluation], Flip | None]
_WHO = {"any": "a contact", "all": "every contact", "none": "no contact"}


def text(node: Contacts, said: Callable[[Node], str]) -> str:
    """`a contact: contact.title is CFO`; `said` writes a whole condition."""
    who = _WHO.get(node.match) or f"at least {node.count} contacts"
    return f"{who}: {said(node.where)}"


def seen(clause: Clause) -> str:
    """`2 of 5 contacts`."""
    return f"{clause.value} of {clause.kept} contact{'s' * (clause.kept != 1)}"


def flip(clause: Clause, at: Evaluation, nearest: Nearest, said: Callable[[Node], str]) -> Flip:
    """The people who would have to change, the cheapest first; or one more who fulfils it."""
    node = clause.node
    assert isinstance(node, Contacts)
    more, short = _missing(node, clause)
    people = [(one, at.of(one)) for one in at.profile.crew]
    judged = [(there.node(node.where), there) for _, there in people]
    found = [nearest(one, there) for one, there in judged if one.verdict is not more]
    known = sorted((one for one in found if one is not None), key=lambda one: one.cost)[:short]
    changes = tuple(dict.fromkeys(f"a contact: {text}" for one in known for text in one.changes))
    cost = sum(one.cost for one in known)
    absent = short - len(known)
    if absent:
        wanted = f"{absent} more contact{'s' * (absent != 1)}" if more else f"{absent} fewer"
        changes += (f"{wanted} with {said(node.where)}",)
    return Flip(cost + 2 * absent, changes)


def _missing(node: Contacts, clause: Clause) -> tuple[bool, int]:
    """Whether more people must fulfil the condition, or fewer; and how many."""
    count, people = int(clause.value), clause.kept
    if node.match == "all":
        return (False, 1) if clause.verdict else (True, max(1, people - count))
    least = node.count if node.match == "at_least" else 1
    inside = clause.verdict != (node.match == "none")
    return (False, count - least + 1) if inside else (True, least - count)
