"""Shared: identifiers that somebody who stays on a list has, too; a removal leaves those there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from audiencehub.delivery.desired import OF_COMPANIES, STRONG

RECORDS, PERSON = "records", "person"
"""Identifiers that are no field of anybody: the ids of records at the destination, joined by
commas, and the hub's own number."""

Pair = tuple[str, str]
"""Identifier field and one value of it."""


def pairs(values: Mapping[str, str]) -> Iterator[Pair]:
    """Everything that names a member by itself; each record is one, though they travel together."""
    naming = _naming(values)
    for name, value in values.items():
        if name in naming:
            yield from ((name, one) for one in _each(name, value))


def left_over(
    values: Mapping[str, str], shared: Collection[Pair], own: Mapping[str, str]
) -> dict[str, str]:
    """What of `values` a removal takes out: what nobody who stays has. A value that the member
    keeps is taken out, too, and added again after it with the others; but not a record, which is a
    row by itself. Empty when none of it names a member."""
    out: dict[str, str] = {}
    for name, value in values.items():
        kept = name != RECORDS and own.get(name) == value
        found = [one for one in _each(name, value) if kept or (name, one) not in shared]
        if found:
            out[name] = ",".join(found)
    return out if _naming(values) & out.keys() else {}


def records_left(values: Mapping[str, str], out: Mapping[str, str]) -> dict[str, str]:
    """What is left of `values` when the records of `out` are gone; empty without a record."""
    gone = out.get(RECORDS, "").split(",")
    kept = [one for one in values.get(RECORDS, "").split(",") if one and one not in gone]
    return {**values, RECORDS: ",".join(kept)} if kept else {}


def _naming(values: Mapping[str, str]) -> set[str]:
    """Fields that name this member: a person's own where there are any, not their company's."""
    return {*(STRONG - OF_COMPANIES) & values.keys()} or {*STRONG & values.keys()}


def _each(name: str, value: str) -> list[str]:
    return value.split(",") if name == RECORDS else [value]


def joined(pairs: Collection[tuple[str, str]]) -> dict[str, str]:
    """The identifiers of which these are the parts."""
    names = {name for name, _ in pairs}
    return {name: ",".join(sorted(v for k, v in pairs if k == name)) for name in names}
