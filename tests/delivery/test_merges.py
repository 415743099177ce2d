"""What a list holds when persons are found to be one, or two after all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from toybench import LIST, NOW, email, one, sent

from audiencehub.privacy.rule import sha256

PHONE = "+14155550100"


def joined(bench, loser, survivor):
    """The loser's record is the survivor's from now on."""
    bench.ledger.merges.set_alias("contact", {loser: survivor})


@pytest.mark.fault(11)
def test_merged_person_is_replaced_in_one_step(bench):
    """If it fails, a merge is a removal and an entry: the ad account loses and finds a person."""
    bench.member(warm=[5])
    bench.sync()
    joined(bench, 5, 2)
    bench.member(warm=[2])

    planned = one(bench.plan(), LIST)
    bench.sync()

    assert (planned.adds, planned.removes) == (0, 0)
    assert planned.calls > 0
    assert bench.world.people("aud-warm") == sent(2)
    assert set(bench.ledger.delivery.believed(LIST)) == {"2"}


def test_same_identifiers_after_a_merge_send_nothing(bench):
    """If it fails, the removal of the loser takes the survivor out."""
    bench.member(warm=[5])
    bench.sync()
    bench.db.execute("UPDATE contact SET email=? WHERE contact_id=2", [email(5)])
    joined(bench, 5, 2)
    bench.member(warm=[2])

    done = bench.sync()

    assert bench.world.people("aud-warm") == sent(5)
    assert done[LIST].calls == 0


def test_both_on_the_list_and_one_of_them_merged_away(bench):
    """If it fails, an address that the survivor keeps is taken off with the loser."""
    bench.db.execute("UPDATE contact SET phone=? WHERE contact_id IN (2, 5)", [PHONE])
    bench.member(warm=[2, 5])
    bench.sync()
    joined(bench, 5, 2)
    bench.member(warm=[2])

    bench.sync()

    assert bench.world.people("aud-warm") == sent(2) | {sha256(PHONE.removeprefix("+"))}
    assert set(bench.ledger.delivery.believed(LIST)) == {"2"}


@pytest.mark.fault(11)
def test_a_merge_keeps_the_address_that_the_other_brought(bench):
    """If it fails, the removal of the loser takes out the very address that the survivor was just
    added with, and the ledger has it confirmed."""
    bench.member(warm=[2, 5])
    bench.sync()
    bench.db.execute("UPDATE contact SET email=? WHERE contact_id=2", [email(5)])
    joined(bench, 5, 2)
    bench.member(warm=[2])

    bench.sync()

    assert bench.world.people("aud-warm") == sent(5)
    assert set(bench.ledger.delivery.believed(LIST)) == {"2"}


def test_two_people_with_the_same_identifiers(bench):
    """If it fails, who leaves takes out another person who has the same address."""
    bench.db.execute("UPDATE contact SET email=? WHERE contact_id=2", [email(5)])
    bench.member(warm=[2, 5])
    bench.sync()
    bench.member(warm=[2])
    bench.sync()
    kept = bench.world.people("aud-warm")
    bench.member()
    bench.sync()

    assert kept == sent(5)
    assert bench.world.people("aud-warm") == set()


@pytest.mark.fault(11)
def test_unmerge_brings_both_back(bench):
    """If it fails, a person parted again is missing from the list, or their old address stays."""
    bench.member(warm=[2, 5])
    bench.sync()
    joined(bench, 5, 2)
    bench.member(warm=[2])
    bench.sync()
    alone = bench.world.people("aud-warm")
    joined(bench, 5, 5)
    bench.member(warm=[2, 5])
    bench.sync()

    assert alone == sent(2)
    assert bench.world.people("aud-warm") == sent(2, 5)


@pytest.mark.fault(18)
def test_strictest_consent_of_both(bench):
    """If it fails, a person who said no is sent because their other record said yes."""
    bench.member(warm=[2])
    bench.sync()
    bench.grant([5], status="denied", at=NOW - timedelta(hours=10))
    bench.grant([2], at=NOW - timedelta(hours=1))
    joined(bench, 5, 2)
    bench.guards |= {"removals_count": 0, "removals_share": 0.0}

    planned = one(bench.plan(), LIST, "consent")
    bench.sync()
    denied = bench.world.people("aud-warm")
    joined(bench, 5, 5)
    bench.sync()

    assert planned.verdict == "go"
    assert denied == set()
    assert bench.world.people("aud-warm") == sent(2)


def test_a_suppressed_record_suppresses_its_person_and_stays_so(bench):
    """If it fails, erasure is undone by a merge, or by taking the merge back."""
    bench.ledger.consent.suppress("contact", [5], "erasure", "dpo", NOW)
    joined(bench, 5, 2)
    bench.member(warm=[2, 3])
    bench.sync()
    merged = bench.world.people("aud-warm")
    bench.ledger.consent.suppress("contact", [3], "erasure", "dpo", NOW)
    joined(bench, 5, 5)
    joined(bench, 4, 3)
    bench.ledger.consent.suppress("contact", [3], "erasure", "dpo", NOW)
    joined(bench, 4, 4)

    assert merged == sent(3)
    assert bench.ledger.consent.suppressed("contact") == {3, 4, 5}


def test_a_merge_into_somebody_who_was_refused_before(bench):
    """What was once sent in vain for the survivor stands in the way of what the loser holds: the
    plan of the target breaks, and with it every plan after it."""
    bench.member(warm=[2, 5])
    bench.world.fail("reject", member="2", times=1)
    bench.sync()
    assert set(bench.ledger.delivery.believed(LIST)) == {"5"}
    joined(bench, 5, 2)
    bench.member(warm=[2])

    bench.sync()

    assert bench.world.people("aud-warm") == sent(2)
    assert set(bench.ledger.delivery.believed(LIST)) == {"2"}
