"""The parts of the ledger through its own doors."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiencehub.ledger import FileEntry
from audiencehub.ledger.process import boot_id
from audiencehub.model import Need

ADS = Need("advertising", "ads")


def test_a_dead_run_is_reaped_and_a_living_one_is_not(ledger, now):
    """A run that died must not say running for ever; a live one must not be called dead."""
    me = {"pid": os.getpid(), "boot_id": boot_id(), "args": {}}
    ledger.runs.start("mine", "sync", "sandbox", now, **me)
    ledger.runs.start("other-boot", "sync", "sandbox", now, **{**me, "boot_id": "earlier"})
    ledger.runs.start("gone", "sync", "sandbox", now, **{**me, "pid": 2**22 + 1})
    ledger.runs.start("ended", "sync", "sandbox", now, **{**me, "pid": 2**22 + 1})
    ledger.runs.finish("ended", "completed", now, {"n": 1})

    assert sorted(ledger.runs.reap(now)) == ["gone", "other-boot"]
    assert {run.run_id: run.state for run in ledger.runs.last(9)} == {
        "mine": "running", "other-boot": "crashed", "gone": "crashed", "ended": "completed",
    }  # fmt: skip
    assert ledger.runs.get("ended").summary == {"n": 1}


def pull(ledger, now, rows, *, complete=True, cursor=None, path=None):
    files = [FileEntry(path, rows, "0")] if path else []
    why = None if complete else "cut"
    return ledger.manifests.record(
        "r", "crm", "contact", files, rows, complete, why, True, cursor, now
    )


def test_the_cursor_moves_with_complete_pulls_only(ledger, now):
    """A cursor past records that were never landed loses them without a trace."""
    pull(ledger, now, 10, cursor={"since": "a"})
    pull(ledger, now, 4, cursor={"since": "b"}, complete=False)

    assert ledger.manifests.cursor("crm", "contact") == {"since": "a"}
    pull(ledger, now, 11, cursor={"since": "c"})
    assert ledger.manifests.cursor("crm", "contact") == {"since": "c"}
    assert ledger.manifests.recent_complete("crm", "contact") == [11, 10]


def test_a_manifest_is_kept_whole_or_not_at_all(ledger, now):
    """A manifest without its files, or a cursor without its manifest, cannot be rebuilt from."""
    first = pull(ledger, now, 1, path="a", cursor={"since": "a"})
    with pytest.raises(Exception, match="UNIQUE"):
        pull(ledger, now, 2, path="a", cursor={"since": "b"})

    assert [one.manifest_id for one in ledger.manifests.after(0)] == [first]
    assert ledger.manifests.cursor("crm", "contact") == {"since": "a"}
    assert ledger.manifests.files() == {"a"}
    assert ledger.manifests.latest("crm", "contact").files == (FileEntry("a", 1, "0"),)


def test_ids_are_dense_ordered_and_for_ever(ledger, now):
    """An id that moves to another person moves consent and tags with it."""
    later = now + timedelta(days=1)
    first = ledger.people.assign(
        "contact", [("hub", "b", later), ("crm", "z", now), ("crm", "a", now), ("x", "y", None)]
    )
    second = ledger.people.assign(
        "contact", [("crm", "new", now - timedelta(days=9)), ("hub", "b", now)]
    )

    assert first == {("crm", "a"): 0, ("crm", "z"): 1, ("hub", "b"): 2, ("x", "y"): 3}
    assert second == {("crm", "new"): 4, ("hub", "b"): 2}
    assert ledger.people.assign("account", [("crm", "a", now)]) == {("crm", "a"): 0}


def said(person, status, at, source="crm", channel="ads", purpose="advertising", record=""):
    return (person, purpose, channel, status, source, at, None, record)


def test_consent_is_no_until_it_is_said(ledger, now):
    """Silence, another purpose, another channel or a denial anywhere must all be no."""
    early = now - timedelta(days=2)
    ledger.consent.record([
        said(1, "granted", early),
        said(2, "granted", early, purpose="marketing", channel="email"),
        said(3, "granted", now), said(3, "denied", early, source="hub"),
        said(4, "denied", early), said(4, "granted", now),
        said(5, "granted", early), said(5, "denied", now),
        said(6, "granted", early, record="a"), said(6, "denied", early, record="b"),
        said(7, "granted", now + timedelta(days=1)),
        said(8, "granted", early),
    ])  # fmt: skip
    ledger.consent.suppress("contact", [8], "erasure", "dpo", now)

    assert ledger.consent.allowed(ADS, range(10), now=now) == {1, 4}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.booleans(), st.integers(0, 5)))
)
def test_a_withdrawal_is_never_outvoted(tmp_path_factory, now, words):
    """Whatever was said by whom, a source whose last word is no makes it no."""
    from audiencehub.ledger import Ledger

    ledger = Ledger.open(tmp_path_factory.mktemp("ledger"))
    ledger.consent.record(
        said(who, "granted" if yes else "denied", now - timedelta(hours=9 - hour), source)
        for who, source, yes, hour in words
    )

    allowed = ledger.consent.allowed(ADS, range(4), now=now)

    for who in range(4):
        last = {}
        for person, source, yes, hour in words:
            if person == who:
                last[source] = max(last.get(source, (-1, False)), (hour, not yes))
        assert (who in allowed) == (bool(last) and not any(no for _, no in last.values()))
    ledger.close()


def test_entering_twice_is_entering_once(ledger, now):
    """A run repeated after a crash must not write history a second time."""
    entry = ("contact", 1, "warm", "visits", "v1")
    ledger.membership.record("r1", now, [entry], [])
    ledger.membership.record("r1", now + timedelta(hours=1), [entry], [])
    ledger.membership.record("r2", now, [], [("contact", 1, "warm", "no visits")] * 2)

    log = [(m.op, m.run_id, m.reason) for m in ledger.membership.history("contact", 1)]
    assert log == [("entered", "r1", "visits"), ("left", "r2", "no visits")]
    assert ledger.membership.current("contact") == {}
    assert ledger.membership.movement("r1") == {"warm": (1, 0)}


def test_bits_never_move(ledger):
    """A bit that changes its segment turns stored masks into nonsense."""
    first = ledger.membership.bits("contact", ["b", "a"])

    assert first == {"b": 0, "a": 1}
    assert ledger.membership.bits("contact", ["c", "a"]) == {"c": 2, "a": 1}


def test_quarantine_counts_a_row_once_until_resolved(ledger, now):
    """A row that waits must not look like a new one every night."""
    row = ("crm", "contact", "7", "no_email", "No e-mail", 3, "f:12", now)
    ledger.quarantine.add([row, row])
    ledger.quarantine.add([row])
    (waiting,) = ledger.quarantine.list()

    assert ledger.quarantine.counts() == {("crm", "contact", "no_email"): 1}
    assert (waiting.manifest_id, waiting.record_ref, waiting.at) == (3, "f:12", now)
    assert ledger.quarantine.resolve([waiting.id]) == 1
    assert ledger.quarantine.counts() == {}
    ledger.quarantine.add([row])
    assert len(ledger.quarantine.list(source="crm")) == 1


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET who='bob' WHERE seq=2",
        "DELETE FROM audit WHERE seq=2",
        "DELETE FROM audit WHERE seq=3",
        "DELETE FROM audit",
        "UPDATE audit SET detail='{}' WHERE seq=3",
        "UPDATE audit SET seq = 5 - seq WHERE seq > 9 OR seq = 1",
    ],
)
def test_a_changed_audit_is_seen(ledger, now, tampering):
    """An approval that can be rewritten afterwards approves nothing."""
    for n in range(3):
        ledger.audit.record(now, "ann", "approve", f"p{n}", {"n": n})
    assert ledger.audit.verify() == []

    ledger._db.run(tampering)

    assert ledger.audit.verify() != []


def test_confirmed_needs_proof(ledger, now):
    """A row marked confirmed without a reply to show for it is the silent failure of this field."""
    from audiencehub.ledger import PlanChange

    ledger.delivery.begin("t", "p", "r", 1, [PlanChange("m", "set", 2, None, "h", "")], now)

    with pytest.raises(Exception, match="CHECK"):
        ledger._db.run("UPDATE intent SET state='confirmed'")
    with pytest.raises(Exception, match="UNIQUE"):
        ledger.delivery.begin("t", "p", "r", 1, [PlanChange("m", "set", 2, None, "h", "")], now)
