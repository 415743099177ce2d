"""Every batch sent up to five times: a place must hold and have moved as if each were sent once."""

from __future__ import annotations

import random

import pytest

from tests.platforms.clock import skipping
from tests.torture import company, naive, story, worker
from tests.torture.grounds import ground
from tests.torture.places import NAMES


@pytest.fixture(scope="module")
def urls():
    with worker.vendors() as found:
        yield found


@pytest.fixture(autouse=True)
def patience():
    with skipping():
        yield


@pytest.mark.fault(5)
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_sent_again_makes_no_second_effect(urls, tmp_path, name):
    """A retry that counts twice is a second workflow, a second history entry, a second charge."""
    place, seed = ground(name, tmp_path, urls), 11
    holdings = [place.holding(day) for day in company.days(seed)]
    times = random.Random(name)
    known = {}
    sent = 0
    for number, day in enumerate(company.days(seed)):
        life = story.Life(place, seed, tmp_path, 0)
        destination, target = naive.opened(life, number)
        wanted = naive.wanted(life, day)
        members = [m for m in sorted(known.keys() | wanted.keys()) if known.get(m) != wanted.get(m)]
        for start in range(0, len(members), place.batch):
            batch = members[start : start + place.batch]
            changes = [
                c for m in batch for c in naive.changes(place, m, known.get(m), wanted.get(m))
            ]
            for _ in range(times.randint(2, 5) if start else 5):
                receipts = destination.apply(target, changes)
                assert {one.verdict for one in receipts} == {"confirmed"}
                sent += len(changes)
        known = wanted

    seen = place.look()
    assert seen.holding == holdings[-1]
    assert seen.moves == company.moves(holdings)
    assert len(seen.writes) > seen.moves.total()
    assert sent > 3 * seen.moves.total()
