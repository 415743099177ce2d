"""Consent withdrawn at every crash point: whatever the run had done by then, nobody is uploaded
after the withdrawal, and who had been is taken out."""

from __future__ import annotations

import pytest

from audiencehub.delivery import crash
from tests.model.company import Company
from tests.model.machine import KEYS, MAILS
from tests.model.twin import address

LIST = "ads/list/warm"


@pytest.fixture
def company(monkeypatch):
    made = Company({"adds_count": 100, "first_run": "go", "field_share": 1.0})
    monkeypatch.setattr(crash, "point", made.point)
    for key, mail in zip(KEYS, MAILS, strict=True):
        made.world.put(key, email=mail, title="warm", consent="granted", said_at=made.world.tick())
    yield made
    made.close()


@pytest.fixture
def uploads(company):
    """Addresses in the order they were sent, with the number of calls before each."""
    seen, watched = [], company.world.watch

    def note(target, changes):
        watched(target, changes)
        seen.extend(
            value for one in changes if one.op == "add" for value in one.identifiers.values()
        )

    company.world.watch = note
    return seen


@pytest.mark.verify
@pytest.mark.fault(18)
@pytest.mark.parametrize("withdrawn", [KEYS[2:5], KEYS], ids=["some", "all"])
@pytest.mark.parametrize("point", [*crash.POINTS, "step plan", "step push"])
def test_no_upload_after_a_withdrawal(company, uploads, point, withdrawn):
    """If it fails, a run that resumes uploads people who said no while it was dead."""
    hit = 3 if point in ("before_sent", "after_sent", "after_apply", "after_record") else 1
    assert company.sync("whole", armed=(point, hit)) is None, f"{point} was never reached"
    before = len(uploads)
    for key in withdrawn:
        company.say(key, "denied")

    company.sync("delta")
    company.sync("delta")

    refused = {address(MAILS[KEYS.index(key)]) for key in withdrawn}
    assert refused.isdisjoint(uploads[before:])
    assert company.world.lists.get(LIST, set()) == {address(mail) for mail in MAILS} - refused
    company.watch.check()


@pytest.mark.fault(18)
@pytest.mark.parametrize("kind", ["no fault", "refuse", "lost_before", "lost_after", "lock"])
def test_no_upload_in_the_calls_after_a_withdrawal(company, uploads, kind):
    """If it fails, consent is asked once for many calls, and a withdrawal between two is missed."""
    seen = []

    def withdraw():
        seen.extend(uploads)
        for key in KEYS:
            company.say(key, "denied")

    def fail():
        company.world.faults += [(kind, None)] * 2

    company.sync("whole", doors={"push-ads": fail, "call-ads": withdraw})
    company.world.faults.clear()
    company.sync("delta")

    assert seen
    assert uploads == seen
    assert not any(company.world.lists.values())
    company.watch.check()
