"""Read back: what a tag target holds at all its records becomes what is believed of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from audiencehub.delivery import crash
from audiencehub.delivery.batching import believe_seen
from audiencehub.delivery.wire import Wire
from audiencehub.ledger import Believed
from audiencehub.model import TagValue, Target

CHUNK = 500
"""Records per reading and transaction."""
READ = "read back, whole"


@dataclass(slots=True)
class Found:
    """What a target held, against what the ledger believed; counts of records and of tags."""

    read: int = 0
    """Records looked at."""
    agreed: int = 0
    """Of them, those that held exactly what was believed."""
    more: dict[str, int] = field(default_factory=dict)
    """Segment to records that held it though the ledger did not know."""
    fewer: dict[str, int] = field(default_factory=dict)
    """Segment to records that did not hold it though the ledger believed so."""
    gone: int = 0
    """Records believed to hold tags that are no longer there."""


def records(
    connection: duckdb.DuckDBPyConnection, target: Target, sources: Sequence[str]
) -> dict[str, int]:
    """Record id at the CRM to the contact's or account's id, of every record of this kind."""
    found = connection.execute(
        "SELECT source_id, id FROM record_map WHERE record_kind = ? AND source IN"
        " (SELECT unnest(?::VARCHAR[])) ORDER BY source_id",
        [target.place, list(sources)],
    ).fetchall()
    return {str(member): int(number) for member, number in found}


def read_back(
    wire: Wire, persons: Mapping[str, int], progress: Callable[..., None] = lambda *_: None
) -> Found:
    """Read every record there is, was tagged or is believed of; believe what was read.

    What was in doubt is settled by it. A crash between two chunks leaves both of them true, and
    the next reading starts anew. Raises Wait or Stop.
    """
    ledger, target = wire.ledger, wire.target.id
    members = sorted(persons.keys() | ledger.resyncs.ever_tagged(target))
    result = Found()
    for start in range(0, len(members), CHUNK):
        part = members[start : start + CHUNK]
        actual = wire.destination.read(wire.target, part)
        crash.point("after_read_back")
        with ledger.leases.fenced(wire.lease):
            believed = ledger.delivery.believed(target, part)
            doubted = [one for one in ledger.delivery.unsettled(target) if one.member in actual]
            ledger.delivery.end([one.seq for one in doubted], "superseded", READ, wire.now)
            for member in part:
                held = believed.get(member)
                person = persons.get(member, held.person if held else None)
                _believe(wire, member, person, held, actual.get(member), result)
        result.read += len(part)
        progress(f"read back {target}", result.read, len(members))
    return result


def _believe(
    wire: Wire,
    member: str,
    person: int | None,
    held: Believed | None,
    actual: TagValue | None,
    result: Found,
) -> None:
    have = held.tags if held else frozenset[str]()
    seen = frozenset(actual.tags) if actual else frozenset[str]()
    if actual is None and held is not None:
        result.gone += 1
    result.agreed += seen == have and actual is not None
    _count(result.more, seen - have)
    if actual is not None:
        _count(result.fewer, have - seen)
    if seen != have:
        believe_seen(wire, member, person, seen)


def _count(counts: dict[str, int], tags: Iterable[str]) -> None:
    for tag in tags:
        counts[tag] = counts.get(tag, 0) + 1
