"""Random leaves that look at how facts follow each other: sequences, trends, fading intent."""

from __future__ import annotations

from typing import Any

from audiencehub.rules.language.catalog import MOVING, TABLE_OF

LONG = ("1 day", "2 days", "1 week", "1 month", "5 months", "1 year")
SHORT = ("3 hours", "90 minutes")
ON_DAYS = ("deal",)


def moving(chance: Any) -> dict[str, Any]:
    """One leaf; `chance` draws."""
    draw = chance.random.random()
    if draw < 0.45:
        return {"sequence": sequence(chance)}
    return {"trend": trend(chance)} if draw < 0.75 else {"intent": strength(chance)}


def sequence(chance: Any) -> dict[str, Any]:
    """Two to four steps, mostly over few tables, so that some follow each other."""
    pick = chance.random
    leaves = pick.sample(MOVING, 2)
    first = step(chance, pick.choice(leaves))
    if pick.random() < 0.5:
        ((leaf, row),) = first.items()
        op = pick.choice(("within", "older_than", "after"))
        row[op] = chance._literal(op, _kind(leaf))
    then = [step(chance, pick.choice(leaves)) for _ in range(pick.choice((1, 1, 2, 3)))]
    body: dict[str, Any] = {"first": first}
    if pick.random() < 0.4:
        body["then_not"] = then[0]
    else:
        body["then"] = then[0] if len(then) == 1 else then
    if pick.random() < 0.7:
        body["within"] = pick.choice((*LONG, *SHORT))
    return body


def step(chance: Any, leaf: str) -> dict[str, Any]:
    """Any row of a table, or a row of some kind."""
    where = {"where": chance._where(TABLE_OF[leaf], 1)} if chance.random.random() < 0.3 else {}
    return {leaf: where}


def trend(chance: Any) -> dict[str, Any]:
    """An aggregate that two windows of some table often both have."""
    pick = chance.random
    leaf = pick.choice(MOVING)
    table = TABLE_OF[leaf]
    body: dict[str, Any] = {"of": leaf, "change": chance.tests("share")}
    body["window"] = pick.choice(LONG if leaf in ON_DAYS else (*LONG, *SHORT))
    if pick.random() < 0.3:
        body["where"] = chance._where(table, 1)
    how = pick.choice(("count", "sum", "average", "distinct"))
    fields = chance.numeric(table) if how in ("sum", "average") else ["day", *chance.simple(table)]
    if how != "count" and fields:
        body[how] = {"of": pick.choice(fields)}
    return body


def strength(chance: Any) -> dict[str, Any]:
    """The strongest of all signals, or of some."""
    pick = chance.random
    body: dict[str, Any] = {"strength": chance.tests("decimal")}
    body["half_life"] = pick.choice(("1 day", "3 days", "2 weeks", "30 days", "366 days"))
    if pick.random() < 0.3:
        body["topic"] = chance.tests("text")
    if pick.random() < 0.3:
        body["within"] = pick.choice(LONG)
    return body


def _kind(leaf: str) -> str:
    return "date" if leaf in ON_DAYS else "instant"
