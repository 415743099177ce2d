"""Connected components of records by shared keys: the order of links does not matter."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping


def clusters(
    records: Iterable[Hashable], links: Iterable[tuple[Hashable, Hashable]]
) -> Mapping[Hashable, Hashable]:
    """Each record to the representative of its cluster. Links to unknown records are ignored."""
    parent: dict[Hashable, Hashable] = {record: record for record in records}

    def root(record: Hashable) -> Hashable:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    for left, right in links:
        if left in parent and right in parent:
            parent[root(left)] = root(right)
    return {record: root(record) for record in parent}


def star(
    groups: Mapping[Hashable, list[Hashable]], limit: int
) -> Iterable[tuple[Hashable, Hashable]]:
    """Links within groups that share a key; a key of more than `limit` records is no key."""
    for members in groups.values():
        if 1 < len(members) <= limit:
            yield from ((members[0], other) for other in members[1:])
