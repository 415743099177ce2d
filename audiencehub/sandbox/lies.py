"""Lies: what a vendor acknowledges and does not keep, and lists of verdicts that do not fit."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import orjson

from audiencehub.sandbox.store import Store

Held = dict[tuple[str, str], bytes]
IDS = ("id", "Id", "ID")


def held(store: Store, prefixes: tuple[str, ...]) -> Held:
    """Every document of the tables that hold records, as it is now."""
    return {
        (name, key): orjson.dumps(document)
        for name, table in store.tables()
        if name.startswith(prefixes) and not name.startswith("__")
        for key, document in table.items()
    }


def unsay(store: Store, before: Held, after: Held, share: float, seed: int) -> list[str]:
    """Put back a share of the documents that differ, at least one; their keys, sorted.

    The same documents for the same seed: a test can say which ones will be missing.
    """
    changed = sorted(at for at in before.keys() | after.keys() if before.get(at) != after.get(at))
    count = min(len(changed), max(1, math.floor(share * len(changed)))) if changed else 0
    chosen = sorted(random.Random(seed).sample(changed, count))
    for name, key in chosen:
        old = before.get((name, key))
        if old is None:
            del store.table(name)[key]
        else:
            store.table(name)[key] = orjson.loads(old)
    return [key for _, key in chosen]


def rearranged(
    body: Any, path: str, *, seed: int | None, drop: int, repeat: int, strange: int
) -> Any:
    """The document with the list at `path` (dotted; `.` is the document itself) shuffled, without
    its first `drop` rows, with `repeat` rows twice, and `strange` rows under ids of nobody."""
    rows = list(_at(body, path))
    if seed is not None:
        random.Random(seed).shuffle(rows)
    rows = rows[drop:]
    rows += rows[:repeat]
    rows[: min(strange, len(rows))] = [_stranger(one) for one in rows[:strange]]
    if path == ".":
        return rows
    *way, last = path.split(".")
    inner = body
    for name in way:
        inner = inner[name]
    inner[last] = rows
    return body


def _at(body: Any, path: str) -> Iterator[Any]:
    found = body
    for name in [] if path == "." else path.split("."):
        found = found[name]
    yield from found


def _stranger(row: Any) -> Any:
    """The row with another id of the same shape: its last four characters are others."""
    if not isinstance(row, dict):
        return row
    return {
        key: f"{str(value)[:-4]}9990" if key in IDS and len(str(value)) > 4 else
        "999990" if key in IDS else value
        for key, value in row.items()
    }  # fmt: skip
