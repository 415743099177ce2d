"""The audit chain: every way to tamper with it is found, and named where it was made."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiencehub.ledger import Ledger
from audiencehub.ledger.audit import ROOT, Break, chained


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


def test_what_was_expected_is_said_but_not_whole(ledger, now):
    """Without it nobody can tell from a backup which copy is the true one; told whole, it would let
    whoever changed the row write the mark that goes with it."""
    acts(ledger, now)
    ledger._db.run("UPDATE audit SET who='bob' WHERE seq=2")

    (found,) = ledger.audit.check().breaks

    assert (found.row, found.what) == (2, "hash")
    assert found.expected != found.found
    assert {len(found.expected), len(found.found)} == {15}


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


def forge(ledger):
    """Make every mark anew by the public recipe, and note the end, as one who has only the file."""
    before = ROOT
    for row in ledger._db.rows("SELECT seq, at, who, what, subject, detail FROM audit ORDER BY 1"):
        before = chained(before, row)
        ledger._db.run("UPDATE audit SET hash=? WHERE seq=?", (before, row[0]))
    head = f"{row[0]}:{before}"
    ledger._db.run("UPDATE meta SET value=? WHERE key='audit_head'", (head,))


@pytest.mark.parametrize("seq", [1, 2, 4, 5])
def test_a_row_put_in_is_named_though_every_mark_was_made_anew(ledger, now, seq):
    """An approval put in afterwards would excuse what was sent without one; a recipe that anybody
    can follow would let the rewritten record pass."""
    acts(ledger, now)
    ledger._db.run("UPDATE audit SET seq = -seq WHERE seq >= ?", (seq,))
    ledger._db.run("UPDATE audit SET seq = 1 - seq WHERE seq < 0")
    row = (seq, "2026-11-16", "bob", "approve", "p9", "{}", "")
    ledger._db.run("INSERT INTO audit VALUES(?,?,?,?,?,?,?)", row)
    forge(ledger)

    assert (seq, "hash") in places(ledger)


@pytest.fixture
def old(tmp_path, now):
    """A ledger whose four acts bear bare hashes, as before the key was used; opened again."""
    made = Ledger.open(tmp_path / "old")
    acts(made, now)
    forge(made)
    made._db.run("DELETE FROM meta WHERE key='audit_sealed'")
    made.close()
    (tmp_path / "old" / "ledger.stamp").unlink()
    again = Ledger.open(tmp_path / "old")
    yield again
    again.close()


def test_acts_of_before_the_key_are_still_verified(old, now):
    """An upgrade that calls the old record broken, or stops looking at it, loses its worth."""
    assert old.audit.check().breaks == []
    old.audit.record(now, "ann", "approve", "p5", {})
    assert old.audit.check().breaks == []

    old._db.run("UPDATE audit SET who='bob' WHERE seq=2")

    assert places(old) == [(2, "hash")]


def test_acts_of_before_the_key_cannot_be_rewritten_after_it(old, now):
    """The seal closes them: their recipe is public."""
    old.audit.record(now, "ann", "approve", "p5", {})
    old._db.run("UPDATE audit SET who='bob' WHERE seq=2")
    old._db.run("DELETE FROM audit WHERE seq=5")
    forge(old)
    assert places(old)

    old._db.run("DELETE FROM meta WHERE key='audit_sealed'")
    assert (0, "seal") in places(old)


def test_a_record_made_bare_again_is_found_by_the_next_process(ledger, now, tmp_path):
    """Whoever rewrites the file can make it look like one of before the key; the stamp beside it
    says that it is not."""
    acts(ledger, now)
    forge(ledger)
    ledger._db.run("DELETE FROM meta WHERE key='audit_sealed'")
    ledger.close()

    again = Ledger.open(tmp_path / "home")

    assert (0, "seal") in places(again)
    again.close()


def test_the_oldest_acts_go_and_the_rest_is_still_a_chain(ledger, now):
    """Retention must not look like tampering, nor tampering like retention."""
    for year in (2022, 2023, 2024, 2026):
        ledger.audit.record(now.replace(year=year), "ann", "approve", f"p{year}", {})

    assert ledger.audit.cut(now.replace(year=2024)) == 2
    assert ledger.audit.check().breaks == []
    assert ledger.audit.check().rows == 2
    assert ledger.audit.cut(now.replace(year=2024)) == 0
    ledger.audit.record(now, "ann", "approve", "p5", {})
    assert [one.seq for one in ledger.audit.entries()] == [5, 4, 3]
    assert ledger.audit.cut(now.replace(year=2027)) == 2
    assert ledger.audit.check().breaks == []
    ledger.audit.record(now, "ann", "approve", "p6", {})
    assert ledger.audit.check().breaks == []

    mark = ledger._db.row("SELECT hash FROM audit WHERE seq=5")[0]
    ledger._db.run("DELETE FROM audit WHERE seq=5")
    ledger._db.run("UPDATE meta SET value=? WHERE key='audit_anchor'", (f"5|{mark}|",))
    assert places(ledger) == [(5, "seal")]


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
