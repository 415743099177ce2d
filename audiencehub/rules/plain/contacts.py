"""How many contacts of an account fulfil a condition, one person after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiencehub.rules.language.form import Contacts
from audiencehub.rules.plain.clause import Clause

if TYPE_CHECKING:
    from audiencehub.rules.evaluate import Evaluation


def judge(node: Contacts, at: Evaluation) -> Clause:
    """The verdict, with how many fulfil it as the value and how many there are as `kept`.

    The one part is a person who decides: the first who fulfils the condition, where that makes
    the clause true or false; else the first who does not. Without people there is none.
    """
    people = [at.of(person).node(node.where) for person in at.profile.crew]
    count = sum(person.verdict for person in people)
    verdict = {
        "any": count > 0,
        "none": count == 0,
        "all": bool(people) and count == len(people),
        "at_least": count >= node.count,
    }[node.match]
    telling = [person for person in people if person.verdict is _telling(node, verdict)]
    return Clause(node, verdict, count, kept=len(people), parts=tuple(telling[:1]))


def _telling(node: Contacts, verdict: bool) -> bool:
    """Whether those who fulfil the condition decide, or those who do not."""
    return verdict != (node.match == "none")
