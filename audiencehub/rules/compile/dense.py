"""Words of all leaves side by side in memory: parts are OR-ed by position, not by a hash table.

Ids are given out densely by the ledger, so that an id is a place in an array.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from audiencehub.model import Entity

Query = tuple[str, dict[str, object]]
Ids = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]
SPARE = 1_000_000
"""So many places may be empty anyhow, beside seven for each id that there is."""


def write_leaves(
    connection: duckdb.DuckDBPyConnection, entity: Entity, parts: Sequence[Query]
) -> bool:
    """Leave leaf_<entity>(<entity>_id, w0, …) from the parts (`leaves_parts`), the first of which
    names everyone once. False, with nothing done, where ids are far apart."""
    own, *scans = parts
    ids, words = _read(connection, own)
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < 8 * len(ids) + SPARE:
        return False
    places = int(ids.max()) + 1 if len(ids) else 0
    masks: list[Words] = []
    for one in words:
        masks.append(np.zeros(places, np.uint64))
        masks[-1][ids] = one
    del words
    for scan in scans:
        _take(masks, *_read(connection, scan))
    columns: dict[str, Any] = {f"{entity}_id": pa.array(ids, pa.int32())}
    columns |= {f"w{n}": pa.array(mask[ids], pa.uint64()) for n, mask in enumerate(masks)}
    connection.register("words_found", pa.table(columns))
    connection.execute(f"CREATE OR REPLACE TABLE leaf_{entity} AS SELECT * FROM words_found")
    connection.unregister("words_found")
    return True


def _read(connection: duckdb.DuckDBPyConnection, query: Query) -> tuple[Ids, list[Words]]:
    found = iter(connection.execute(*query).fetchnumpy().values())
    return np.asarray(next(found), np.int32), list(_words(found))


def _words(columns: Iterator[Any]) -> Iterator[Words]:
    for one in columns:
        yield np.asarray(one, np.uint64)


def _take(masks: list[Words], ids: Ids, words: list[Words]) -> None:
    # A fact may name an entity that is not there: it is nobody's.
    known = (ids >= 0) & (ids < len(masks[0]))
    whole = bool(known.all())
    for mask, one in zip(masks, words, strict=True):
        mask[ids if whole else ids[known]] |= one if whole else one[known]
