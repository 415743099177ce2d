"""What joins records, what does not, and what is written down about it."""

from __future__ import annotations

import pytest

from audiencehub.errors import ConfigError
from audiencehub.identity.why import find, why

ANN = {"email": "ann@x.example"}


@pytest.mark.parametrize(
    "value", ["0", "00-00", "-1", "NULL", " none ", "anonymous", "N/A", "unknown"]
)
def test_blocked_values_join_nobody(desk, value):
    """If it fails, everyone whose number is missing becomes one person."""
    desk.put(("crm", "1", {"external_id": value}), ("crm", "2", {"external_id": value}))
    desk.run()

    assert len(desk.groups()) == 2


@pytest.mark.parametrize(
    "address",
    [
        "test@x.example",
        "info@x.example",
        "unknown@x.example",
        "einkauf2@x.example",
        "desk9@x.example",
    ],
)
def test_shared_and_placeholder_mailboxes_join_nobody(make_desk, address):
    """If it fails, a test address or a shared mailbox makes strangers one person."""
    desk = make_desk(shared_mailboxes=["Desk9"])
    desk.put(("crm", "1", {"email": address}), ("shop", "2", {"email": address}))
    desk.run()

    assert len(desk.groups()) == 2


def test_a_mailbox_that_is_a_person_here_joins(make_desk):
    """If it fails, whose initials are on the list of mailboxes can never be one person."""
    desk = make_desk(personal_mailboxes=["ar"])
    desk.put(("crm", "1", {"email": "ar@x.example"}), ("shop", "2", {"email": "ar@x.example"}))
    desk.run()

    assert len(desk.groups()) == 1


def test_a_key_of_many_is_no_key_and_says_so(make_desk):
    """If it fails, one address typed everywhere swallows a company's contacts."""
    desk = make_desk(records_per_key=3)
    desk.put(*(("crm", str(n), ANN) for n in range(4)))
    desk.run()

    assert len(desk.groups()) == 4
    assert desk.conflicts() == [(n, "email", "shared by more than 3 records") for n in range(4)]


def test_two_customer_numbers_are_two_people(desk):
    """If it fails, a couple with one mailbox becomes one customer."""
    desk.put(
        ("crm", "1", {**ANN, "external_id": "K1"}),
        ("crm", "2", {**ANN, "external_id": "K2"}),
        ("shop", "3", ANN),
    )
    desk.run()

    assert desk.groups() == {frozenset({("crm", "1"), ("shop", "3")}), frozenset({("crm", "2")})}
    assert desk.conflicts() == [(1, "email", "more than 1 of external_id")]


def test_no_more_records_than_the_limit(make_desk):
    """If it fails, chains of keys grow persons without end."""
    desk = make_desk(merges_per_profile=2, values_per_profile={})
    desk.put(
        *(("crm", str(n), {"email": f"m{n // 2}@x.example", "external_id": f"K{(n + 1) // 2}"})
          for n in range(8))
    )  # fmt: skip
    desk.run()

    assert max(len(group) for group in desk.groups()) <= 3
    assert {reason for _, _, reason in desk.conflicts()} == {"more than 3 records"}


def test_merge_in_a_crm_whatever_comes_first(desk):
    """If it fails, a tombstone that arrives before its survivor is forgotten."""
    desk.put(("crm", "2", {"deleted": True, "merged_into": "1"}))
    desk.run()
    desk.put(("crm", "1", ANN))
    desk.run()

    assert desk.groups() == {frozenset({("crm", "1"), ("crm", "2")})}


def test_the_journal_says_once_by_which_key(desk):
    """If it fails, nobody can say why two records are one, or the journal grows with every run."""
    desk.put(("crm", "1", ANN), ("shop", "9", ANN))
    desk.run()
    desk.put(("shop", "8", {}))
    desk.run()
    (merge,) = desk.ledger.merges.all("contact")

    assert (merge.survivor, merge.loser, merge.rule) == (0, 1, "automatic")
    assert [(e["kind"], e["with"]) for e in merge.evidence] == [("email", 0)]
    assert "ann" not in str(merge)


def test_a_key_that_changes_ends_its_merge(desk):
    """If it fails, a person keeps records that no longer have anything to do with them."""
    desk.put(("crm", "1", ANN), ("shop", "9", ANN))
    desk.run()
    desk.put(("shop", "9", {"email": "bob@x.example"}))
    desk.run()

    assert len(desk.groups()) == 2
    assert desk.persons()["shop", "9"] == 1
    assert desk.open_merges() == []


def test_what_is_parted_takes_along_what_only_it_brings(desk):
    """If it fails, unmerge takes the wrong records along, or leaves its own behind."""
    desk.put(
        ("crm", "1", ANN),
        ("crm", "2", {**ANN, "external_id": "K1"}),
        ("crm", "3", {"external_id": "K1"}),
        ("crm", "4", ANN),
    )
    desk.run()
    merge = next(one for one in desk.ledger.merges.open("contact") if one.loser == 1)
    desk.ledger.merges.undo(merge.merge_id, "ann", desk.now, "two people")
    desk.run()

    assert desk.persons() == {
        ("crm", "1"): 0, ("crm", "2"): 1, ("crm", "3"): 1, ("crm", "4"): 0
    }  # fmt: skip
    with pytest.raises(ConfigError, match="undone already"):
        desk.ledger.merges.undo(merge.merge_id, "ann", desk.now, "again")


def test_accounts_by_domain(make_desk):
    """If it fails, a company with two records is two companies."""
    desk = make_desk()
    desk.put(
        ("crm", "a", {"domain": "x.example"}), ("hub", "b", {"domain": "x.example"}),
        ("hub", "c", {"domain": "y.example"}), table="account",
    )  # fmt: skip
    desk.run("account")

    assert desk.groups("account") == {
        frozenset({("crm", "a"), ("hub", "b")}),
        frozenset({("hub", "c")}),
    }


def test_why_shows_records_links_and_conflicts_but_no_values(desk):
    """If it fails, support cannot say why, or prints addresses into tickets."""
    desk.put(
        ("crm", "1", {**ANN, "external_id": "K1"}),
        ("crm", "2", {**ANN, "external_id": "K2"}),
        ("shop", "3", {"external_id": "K1"}),
    )
    desk.run()
    found = why(desk.db, desk.ledger, "contact", find(desk.db, "contact", "shop:3"))
    other = why(desk.db, desk.ledger, "contact", 1)

    assert [one["own"] for one in found["records"]] == [0, 2]
    assert found["merges"][0]["by"] == "external_id with 0"
    assert other["conflicts"] == [
        {"record": 1, "key": "email", "because": "more than 1 of external_id"}
    ]
    assert "ann@" not in str((found, other))
    with pytest.raises(ConfigError, match="2 contacts are meant"):
        find(desk.db, "contact", "ann@x.example")
