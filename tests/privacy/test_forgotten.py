"""Tombstones: what a forgotten person's records are known by, and what is left of others'."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.landing import Sieve
from audiencehub.model import Row, Stream
from audiencehub.privacy.forgotten import BLANK, Tombstones, spelled
from audiencehub.privacy.sealed import tombstone

KEY = b"k" * 32
STREAM = Stream("contact")


def mark(text: str) -> str:
    return tombstone(text, KEY)


def stones(*named: tuple[str, str, str]) -> Tombstones:
    return Tombstones(frozenset(mark(str(spelled(*one))) for one in named), mark)


GONE = stones(
    ("email", "Ann.Lee@north.example", ""),
    ("phone", "+1 415 555 0100", ""),
    ("external_id", "C-7", ""),
    ("record", "101", "crm"),
)


def sift(record: dict, *rows: Row, stream: str = "contact"):
    return GONE.sift("crm", stream, record, list(rows))


@pytest.mark.parametrize(
    "values",
    [
        {"email": "ann.lee@north.example"},
        {"email": " ANN.LEE@NORTH.EXAMPLE "},
        {"external_id": "C-7"},
        {"phone": "+14155550100"},
    ],
)
def test_a_record_of_theirs_is_dropped_by_any_identifier(values):
    """If one were not known, the next pull would bring the person back under a new id."""
    assert sift({"id": "999"}, Row("contact", "999", values)) is None
    assert sift({"id": "101"}, Row("contact", "101", {})) is None


def test_a_number_alone_names_nobody_who_has_another_address():
    """A switchboard, or who sits at that desk now, must not be lost with the person."""
    record = {"id": "5", "phone": "+14155550100"}
    row = Row("contact", "5", {"email": "bo@north.example", "phone": "+14155550100"})

    assert sift(record, row) is record


@pytest.mark.parametrize(
    ("values", "dropped"),
    [
        ({"contact_ref": "101"}, True),
        ({"contact_email": "ann.lee@north.example"}, True),
        ({"contact_external_id": "C-7"}, True),
        ({"contact_ref": "102", "contact_email": "ann.lee@north.example"}, False),
        ({"contact_ref": "102"}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("table", ["event", "order", "ticket", "survey_answer", "consent"])
def test_what_they_did_goes_with_them(table, values, dropped):
    """A deed that is said to be somebody else's stays, whatever else it names."""
    assert (sift({"x": 1}, Row(table, "e1", values)) is None) is dropped


def test_a_company_keeps_its_deal_and_loses_the_name():
    """The revenue of an account must not fall because a person of it was forgotten."""
    record = {
        "id": "101",
        "_contact": "101",
        "_account": "7",
        "amount": "101",
        "hs_merged_object_ids": "55;101",
        "note": "101 units",
        "by": "Ann.Lee@north.example",
        "memo": "ask ann.lee@north.example, not bo@x.example",
    }
    before = copy.deepcopy(record)

    kept = sift(record, Row("deal", "101", {"contact_ref": "101", "account_ref": "7"}))

    assert record == before
    assert kept == {
        **record,
        "_contact": None,
        "hs_merged_object_ids": "55;",
        "by": None,
        "memo": f"ask {BLANK}, not bo@x.example",
    }


def test_a_merge_into_them_stays_a_deletion():
    """Who was merged into the person by the CRM is gone there; the reference names the person."""
    record = {"Id": "55", "MasterRecordId": "101", "IsDeleted": True}

    kept = sift(record, Row("contact", "55", {}, deleted=True, merged_into="101"))

    assert kept == {"Id": "55", "MasterRecordId": None, "IsDeleted": True}


def test_a_deletion_without_words_is_theirs_by_its_reference():
    """A deleted call of theirs still carries its subject and whose it was."""
    gone = Row("event", "00T1", {}, deleted=True)

    assert sift({"Id": "00T1", "WhoId": "101", "Subject": "Ann"}, gone) is None
    other = {"Id": "00T1", "WhoId": "102"}
    assert sift(other, gone) is other
    company = {"Id": "00T1", "AccountId": "101"}
    assert sift(company, gone) is company


def test_what_cannot_be_read_goes_when_it_names_them():
    """A line that no mapping understands would lie in landing with the address in it."""
    assert GONE.sift("crm", "event", {"raw": "x ann.lee%40north.example"}, None) is None
    assert GONE.sift("crm", "contact", {"id": "101"}, None) is None
    kept = {"id": "101"}
    assert GONE.sift("shop", "contact", kept, None) is kept


def test_the_sieve_asks_the_mapping_only_when_there_is_somebody():
    """Where nobody was forgotten a pull must cost what it cost before."""

    def never(*_: object):
        raise AssertionError("asked")

    record = {"id": "1"}
    assert Sieve(Tombstones(frozenset(), mark), "crm", never).keep(STREAM, record) is record


def malformed(*_: object):
    raise KeyError("id")


def test_a_mapping_that_fails_does_not_let_them_through():
    """A record of a new shape must not be a way around the tombstones."""
    sieve = Sieve(GONE, "crm", malformed)

    assert sieve.keep(STREAM, {"e": {"mail": ["ann.lee@north.example"]}}) is None
    kept = {"e": "bo@north.example"}
    assert sieve.keep(STREAM, kept) is kept


text = st.text(max_size=20).filter(lambda one: "101" not in one and "@" not in one)
leaves = st.one_of(text, st.integers(min_value=1000), st.none(), st.booleans())
records = st.dictionaries(
    text, st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=6), max_size=5
)


@given(records, st.sampled_from(["contact", "event", "deal", "consent"]))
def test_who_is_not_named_is_not_touched(record, table):
    """Every other record must come out as the very same object, whatever stands in it."""
    row = Row(table, "9", {"email": "x@y.example", "contact_email": "x@y.example"})

    assert sift(record, row) is record


@given(records, st.sampled_from(["{}", "see {}", "<{}>", "a,{};b", "https://x.example/?m={}"]))
def test_no_leaf_that_is_kept_names_them(record, shape):
    """An address in any text of a company's record would be the person's, for ever in landing."""
    named = {**record, "found": [{"deep": shape.format("Ann.Lee@north.example")}]}

    kept = sift(named, Row("account", "7", {}))

    assert kept is not None
    assert "ann.lee" not in repr(kept).lower()
    assert {key: value for key, value in kept.items() if key != "found"} == record
