"""The audit chain: every way to tamper with it is found, and named where it was made."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiencehub.ledger.audit import Break, chained


def acts(ledger, now, n=4):
    for number in range(1, n + 1):
        ledger.audit.record(now, "ann", "approve", f"p{number}", {"n": number})


def places(ledger):
    return [(one.row, one.what) for one in ledger.audit.check().breaks]


def test_a_whole_chain_is_followed_to_its_end(ledger, now):
    """A chain that is whole must be called so, empty or not, and with every row counted."""
    assert ledger.audit.check().rows == 0
    assert ledger.audit.check().breaks == []
    acts(ledger, now)

    assert ledger.audit.check().rows == 4
    assert ledger.audit.check().breaks == []


@pytest.mark.parametrize("column", ["at", "who", "what", "subject", "detail", "hash"])
def test_a_changed_row_is_named(ledger, now, column):
    """Who approved, what and why must not be rewritten, and the row that was is to be shown."""
    acts(ledger, now)

    ledger._db.run(f"UPDATE audit SET {column} = {column} || 'x' WHERE seq=2")

    found = places(ledger)
    assert found[0] == (2, "hash")
    assert all(row in (2, 3) for row, _ in found)


def test_what_was_expected_is_said(ledger, now):
    """Without the expected hash nobody can tell from a backup which copy is the true one."""
    acts(ledger, now)
    before, digest = (r[0] for r in ledger._db.rows("SELECT hash FROM audit WHERE seq < 3"))
    ledger._db.run("UPDATE audit SET who='bob' WHERE seq=2")
    row = ledger._db.row("SELECT seq, at, who, what, subject, detail FROM audit WHERE seq=2")

    assert ledger.audit.check().breaks == [Break(2, "hash", chained(before, row), digest)]


def test_a_removed_row_is_named(ledger, now):
    """A send that is cut out of the record would never have happened."""
    acts(ledger, now)

    ledger._db.run("DELETE FROM audit WHERE seq=2")

    assert places(ledger) == [(3, "number"), (3, "hash")]


def test_a_removed_row_is_found_though_the_rest_was_renumbered(ledger, now):
    """Closing the gap must not hide the cut."""
    acts(ledger, now)

    ledger._db.run("DELETE FROM audit WHERE seq=2")
    ledger._db.run("UPDATE audit SET seq = seq - 1 WHERE seq > 2")

    assert (2, "hash") in places(ledger)


@pytest.mark.parametrize(("cut", "last"), [(4, 3), (1, 0)])
def test_a_cut_end_is_named(ledger, now, cut, last):
    """Rows missing at the end leave no gap; the noted head shows them."""
    acts(ledger, now)

    ledger._db.run("DELETE FROM audit WHERE seq >= ?", (cut,))

    assert ledger.audit.check().breaks == [Break(last, "end", "row 4", f"row {last}")]


def test_a_row_put_in_between_is_named(ledger, now):
    """An approval put in afterwards would excuse what was sent without one."""
    acts(ledger, now)
    ledger._db.run("UPDATE audit SET seq = -seq WHERE seq >= 2")
    ledger._db.run("UPDATE audit SET seq = 1 - seq WHERE seq < 0")
    before = ledger._db.row("SELECT hash FROM audit WHERE seq=1")[0]
    row = (2, "2026-11-16", "bob", "approve", "p9", "{}")
    ledger._db.run("INSERT INTO audit VALUES(?,?,?,?,?,?,?)", (*row, chained(before, row)))

    assert places(ledger)[0] == (3, "hash")


def test_a_row_put_at_the_end_is_named(ledger, now):
    """Its hash can be right, for the recipe is public; that the hub did not note it tells."""
    acts(ledger, now)
    before = ledger._db.row("SELECT hash FROM audit WHERE seq=4")[0]
    row = (5, "2026-11-16", "bob", "approve", "p9", "{}")

    ledger._db.run("INSERT INTO audit VALUES(?,?,?,?,?,?,?)", (*row, chained(before, row)))

    assert ledger.audit.check().breaks == [Break(5, "end", "row 4", "row 5")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(order=st.permutations(range(1, 6)))
def test_any_other_order_is_found(tmp_path_factory, now, order):
    """What came first decides who knew what; rows moved in any way must show."""
    from audiencehub.ledger import Ledger

    ledger = Ledger.open(tmp_path_factory.mktemp("audit"))
    acts(ledger, now, 5)
    ledger._db.run("UPDATE audit SET seq = -seq")
    for place, seq in enumerate(order, 1):
        ledger._db.run("UPDATE audit SET seq = ? WHERE seq = ?", (place, -seq))

    assert (places(ledger) == []) == (list(order) == sorted(order))
    ledger.close()
