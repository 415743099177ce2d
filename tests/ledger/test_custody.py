"""The epoch and its stamp: any older copy is known, and no present one is."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiencehub.errors import Stop
from audiencehub.ledger import Ledger

pytestmark = pytest.mark.fault(20)
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


def sends(ledger):
    """What every batch does, short of sending it."""
    ledger.delivery.sending("t", "b", 1, "r", [], {}, NOW)
    ledger.custody.stamp()


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    days=st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), min_size=1, max_size=6
    ),
    copied=st.integers(0, 20),
    after=st.integers(0, 2),
)
def test_any_older_copy_is_known_and_no_present_one_is(tmp_path_factory, days, copied, after):
    """A law: whatever days it had (batches, a new process, a death between commit and stamp), the
    ledger as it is raises no alarm, and a copy from before the last stamped batch does."""
    folder = tmp_path_factory.mktemp("custody")
    ledger = Ledger.open(folder)
    kept = None
    for n, (batches, reopened, died) in enumerate(days):
        for _ in range(batches):
            sends(ledger)
        if died:
            with ledger.transaction():
                ledger.custody.advance()
        if reopened or died:
            ledger.close()
            ledger = Ledger.open(folder)
        assert ledger.custody.restored() is None
        if n == min(copied, len(days) - 1):
            ledger._db.run("VACUUM INTO ?", (str(folder / "copy"),))
            kept = ledger.custody.epoch
    for _ in range(after):
        sends(ledger)
    epoch = ledger.custody.epoch
    ledger.close()

    for path in folder.glob("ledger.sqlite*"):
        path.unlink()
    shutil.copy(folder / "copy", folder / "ledger.sqlite")
    ledger = Ledger.open(folder)

    assert (ledger.custody.restored() is not None) == (epoch > kept)
    assert ledger.custody.epoch >= epoch
    ledger.close()


def test_a_second_process_raises_no_alarm(tmp_path):
    """Verbs that read open the ledger while a run sends."""
    first = Ledger.open(tmp_path)
    sends(first)
    second = Ledger.open(tmp_path)
    sends(first)
    sends(second)
    third = Ledger.open(tmp_path)

    assert third.custody.restored() is None
    for one in (first, second, third):
        one.close()


def test_a_ledger_put_in_place_under_a_running_process_stops_it(tmp_path):
    """What it notes from then on nobody will ever read."""
    first = Ledger.open(tmp_path)
    sends(first)
    for path in tmp_path.glob("ledger.sqlite*"):
        path.unlink()
    second = Ledger.open(tmp_path)

    with pytest.raises(Stop, match="another ledger"):
        sends(first)

    assert second.custody.restored().cause == "other_ledger"
    first.close()
    second.close()


def test_a_restore_is_put_on_record_once(tmp_path, now):
    """The audit is where somebody will look for why adds and removals stood still."""
    first = Ledger.open(tmp_path)
    sends(first)
    first.close()
    (tmp_path / "ledger.stamp").unlink()
    again = Ledger.open(tmp_path)

    assert again.custody.note(now, "run 1").cause == "no_stamp"
    assert again.custody.note(now, "run 2") is None
    (entry,) = again.audit.entries()
    assert (entry.who, entry.what) == ("run 1", "ledger restored")
    assert again.audit.verify() == []
    again.close()


def test_trust_is_of_one_restore(tmp_path, now):
    """A target that was looked at after the last restore must be looked at after the next."""
    ledger = Ledger.open(tmp_path)
    sends(ledger)
    for _ in range(2):
        ledger.close()
        (tmp_path / "ledger.stamp").unlink()
        ledger = Ledger.open(tmp_path)
        assert ledger.custody.state("crm/contact/tags") == "held"
        ledger.custody.settle("crm/contact/tags", "whole", "read back", "ann", "12 read", now)
        assert ledger.custody.state("crm/contact/tags") == "whole"
        assert ledger.custody.state("ads/list/warm") == "held"
    ledger.close()


def test_another_hub_on_the_same_place_is_known_until_it_sends_again(tmp_path, now):
    """Two hubs that own one field take each other's tags for their own."""
    ledger = Ledger.open(tmp_path)

    assert not ledger.custody.judge("0123456789ab:7", "crm/contact/tags")
    ledger.custody.settle("crm/contact/tags", "whole", "read back", "ann", "12 read", now)
    assert ledger.custody.judge("0123456789ab:7", "crm/contact/tags")
    assert ledger.custody.state("crm/contact/tags") == "whole"
    assert not ledger.custody.judge("0123456789ab:8", "crm/contact/tags")
    assert ledger.custody.state("crm/contact/tags") == "held"
    assert ledger.custody.judge("what is this", "crm/contact/tags")
    ledger.close()


def test_what_destinations_kept_of_a_lost_ledger_is_found_once(tmp_path, now):
    """The stamp and each destination tell of the same loss; a target that was read back must not be
    held again because another one tells it too."""
    ledger = Ledger.open(tmp_path)
    for _ in range(3):
        sends(ledger)
    mark = ledger.custody.mark
    ledger.close()
    for path in tmp_path.glob("ledger.sqlite*"):
        path.unlink()
    ledger = Ledger.open(tmp_path)
    ledger.custody.settle("crm/contact/tags", "whole", "read back", "ann", "12 read", now)

    assert ledger.custody.judge(mark, "ads/list/warm")
    assert ledger.custody.state("crm/contact/tags") == "whole"
    ledger.close()
