"""Connected components of dense ids: exact, whatever the order of the edges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[Any]


def components(ids: Ids, left: Ids, right: Ids) -> Ids:
    """For each of `ids` (ascending, unique) the smallest id it is connected to.

    `left[i]` and `right[i]` are joined; both must be among `ids`.
    """
    if not len(left):
        return ids.copy()
    # A quarter of a second to import, and most runs join nobody.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = len(ids)
    if ids[-1] == size - 1:
        rows, columns = left, right
    else:
        rows, columns = np.searchsorted(ids, left), np.searchsorted(ids, right)
    ones = np.ones(len(rows), np.int8)
    graph = coo_array((ones, (rows, columns)), shape=(size, size))
    count, labels = connected_components(graph, directed=False)
    smallest = np.empty(count, ids.dtype)
    # Written from the last to the first: of repeated labels the last write stays, the smallest id.
    smallest[labels[::-1]] = ids[::-1]
    found: Ids = smallest[labels]
    return found
