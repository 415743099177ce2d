"""Who keeps an identifier on a list: as the ledger has it now, and read once for many who leave."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from audiencehub.delivery.keepers import Keepers
from audiencehub.ledger import Ledger

LIST, NOW = "ads/list/buyers", datetime(2026, 11, 16, 9, tzinfo=UTC)
PHONE, OWN = {"phone": "p"}, {"email": "e"}


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.close()


def comes(ledger, member, **sent):
    delivery, at = ledger.delivery, NOW
    with ledger.transaction():
        delivery.believe(LIST, member, "h", None, int(member), "200", at)
        delivery.left(LIST, member, ledger.sealing.seal(sent), at)


def goes(ledger, member):
    with ledger.transaction():
        ledger.delivery.disbelieve(LIST, member)


def test_what_another_has_is_kept_by_them_until_they_are_gone(ledger):
    """If this fails, an address stays on a list with nobody believed to be there, or one who stays
    loses theirs: whoever came or went since the list was read counts."""
    keepers = Keepers(ledger, LIST)
    comes(ledger, "1", email="e", phone="p")
    assert keepers.without("1", OWN) == PHONE

    comes(ledger, "2", phone="p")
    assert keepers.without("1", OWN) == {}

    comes(ledger, "3", phone="p")
    goes(ledger, "2")
    assert keepers.without("1", OWN) == {}

    goes(ledger, "3")
    assert keepers.without("1", OWN) == PHONE
    assert keepers.without("1", {**OWN, **PHONE}) == {}
    assert keepers.without("9", OWN) == {}


def test_somebody_in_doubt_keeps_nothing(ledger):
    """If this fails, a call that was never answered counts as proof that somebody is there."""
    comes(ledger, "1", email="e", phone="p")
    with ledger.transaction():
        ledger.delivery.left(LIST, "2", ledger.sealing.seal(PHONE), NOW)
    assert Keepers(ledger, LIST).without("1", OWN) == PHONE


def test_a_thousand_who_leave_an_office_read_the_list_once(ledger, monkeypatch):
    """If this fails, each of them costs a look at the whole list: an office has one phone."""
    for number in range(60):
        comes(ledger, str(number), email=f"e{number}", phone="p")
    whole, believed = [], ledger.delivery.believed

    def counted(target, members=None):
        whole.extend([1] * (members is None))
        return believed(target, members)

    monkeypatch.setattr(ledger.delivery, "believed", counted)
    keepers = Keepers(ledger, LIST)
    for number in range(59):
        assert keepers.without(str(number), {"email": f"e{number}"}) == {}
        goes(ledger, str(number))
    assert len(whole) == 1
    assert keepers.without("59", {"email": "e59"}) == PHONE
