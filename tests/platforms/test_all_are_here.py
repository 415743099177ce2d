"""No list destination may be left out of what is proven for all of them."""

from __future__ import annotations

from audiencehub import connector
from tests.bench.throughput import DOCUMENTED
from tests.platforms.stands import SLACK, STANDS
from tests.torture.places import SPOTS


def lists():
    """Every connector with a fake that keeps lists, by its own declaration."""
    for name in connector.names():
        spec = connector.spec(name)
        if (
            spec.destination
            and spec.sandbox
            and "list" in connector.load(spec.destination).can.kinds
        ):
            yield name


def test_every_list_destination_is_proven():
    """A new destination that nobody throws a hundred thousand people at is proven by nothing."""
    there = set(lists())

    assert there == {*STANDS, SLACK.connector}
    assert there == set(DOCUMENTED)
    assert {spot.connector for spot in SPOTS.values() if spot.kind == "list"} >= {*STANDS}
