"""The sweep of three hundred runs. `make torture` runs it as long as one likes."""

from __future__ import annotations

import pytest

from tests.torture import sweep
from tests.torture.places import VENDORS
from tests.torture.plan import LEAST, OURS


@pytest.mark.verify
@pytest.mark.fault(1, 2, 5, 6)
def test_three_hundred_runs():
    """Every named point, first and third passing, in the storm; the naive designs must fail."""
    report = sweep.sweep(300, seed=1, workers=2)

    assert report.faults() == []
    assert report.of(OURS).kills >= 300
    assert all(report.of(OURS, name).runs >= LEAST for name in VENDORS)
    assert report.of(OURS).over_batch == 0


def test_the_worker_forks_alone(tmp_path):
    """A child that inherits an open database loses what it writes, and the sweep would blame us."""
    import duckdb

    from tests.torture import worker

    db = duckdb.connect(str(tmp_path / "open.duckdb"))
    with pytest.raises(AssertionError):
        worker.alone()
    db.close()


def test_the_count_sees_one_wrong_value(tmp_path):
    """If one missing, strange or repeated value went unseen, noughts would prove nothing."""
    from collections import Counter

    from tests.torture import company, tally
    from tests.torture.grounds import Ground, Seen

    place, seed = Ground("toy_crm", tmp_path), 4
    holdings = [place.holding(day) for day in company.days(seed)]
    moves, last = company.moves(holdings), holdings[-1]

    def counted(holding, changes, writes=()):
        count = tally.Tally()
        tally.final(count, place, seed, Seen(holding, Counter(changes), list(writes)))
        return count

    key = next(iter(last))
    less = {one: value for one, value in last.items() if one != key}
    assert counted(last, moves).wrong == 0
    assert counted(less, moves).missing == 1
    assert counted({**last, "r99": "warm"}, moves).extra == 1
    assert counted({**last, key: "cold"}, moves).extra == 1
    assert counted(last, moves + Counter([key])).twice == 1
    assert tally.false_confirms({key: last[key]}, Seen(less, moves, [])) == 1
    once = {"who": key, "changed": True, "late": False}
    again = {**once, "changed": False}
    assert tally.resent(Seen(last, moves, [once, again]), 1) == 1
    assert tally.resent(Seen(last, moves, [{**once, "late": True}, again]), 1) == 0
