"""Parents of companies: whatever records say, nobody is their own ancestor."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.warehouse.hierarchy import in_circles

PARENTS = st.dictionaries(st.integers(0, 30), st.integers(0, 30), min_size=1, max_size=31)


def own_ancestor(parents: dict[int, int], start: int) -> bool:
    """Walk up until the top, a known place, or home."""
    seen, here = set(), parents.get(start)
    while here is not None and here != start and here not in seen:
        seen.add(here)
        here = parents.get(here)
    return here == start


@given(PARENTS)
def test_exactly_those_that_are_their_own_ancestors(parents):
    """If it fails, a circle of parents makes explain run for ever, or a true parent is lost."""
    child = np.array(list(parents), dtype=np.int64)
    parent = np.array(list(parents.values()), dtype=np.int64)

    found = dict(zip(child.tolist(), in_circles(child, parent).tolist(), strict=True))

    assert found == {one: own_ancestor(parents, one) for one in parents}
