"""Seeds: figures, lookalikes, values, limited data use, tiers."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from audiencehub.errors import OutcomeUnknown, Stop
from audiencehub.model import Change
from connectors.meta_ads.options import Options

EMAILS = [f"person{n}@acme.example" for n in range(5)]
CROWD = [f"p{n}@acme.example" for n in range(120)]
ALIKE = {"lookalikes": {"buyers": {"countries": ["US", "DE"], "share": 0.02}}}
LISTED = "act_100200300/customaudiences?fields=name,subtype,description,lookalike_spec"


@pytest.fixture
def seed(opened, target):
    """A destination with these options, and the target with its audience."""

    def make(fake, **options):
        destination = opened(fake, **options)
        return destination, replace(target, remote=destination.ensure(target, []))

    return make


def lookalikes(fake):
    found = fake.graph("GET", LISTED).json()["data"]
    return [one for one in found if one["subtype"] == "LOOKALIKE"]


def test_figures(fake, seed, changes):
    """If this fails, nobody learns that a list is too small, blocked, or not built yet."""
    destination, ready = seed(fake)
    assert destination.figures(ready).state == "building"
    destination.apply(ready, changes(EMAILS))
    small = destination.figures(ready)
    assert (small.state, small.size) == ("too_small", (0, 1000))
    destination.apply(ready, changes([f"p{n}@acme.example" for n in range(1234)]))
    found = destination.figures(ready)
    assert (found.state, found.size) == ("ready", (1200, 1300))
    audience = ready.remote["audience_id"]
    table = fake.sandbox.store.table("audience")
    table[audience] = {**table[audience], "operation_status": {"code": 471, "description": "x"}}
    assert destination.figures(ready).state == "blocked"
    with pytest.raises(Stop, match="flagged"):
        destination.apply(ready, changes(EMAILS))
    fake.graph("DELETE", audience)
    assert destination.figures(ready).state == "gone"


def test_a_lookalike_is_made_once_the_seed_is_matched(fake, seed, changes, opened, target):
    """If this fails, no lookalike is made, one too early, or one with every run."""
    destination, ready = seed(fake, **ALIKE)
    assert ready.remote == {"audience_id": ready.remote["audience_id"]}
    assert destination.figures(ready).detail == "no lookalike yet"
    destination.apply(ready, changes(CROWD))
    first = destination.ensure(ready, [])
    assert set(first) == {"audience_id", "lookalike_id"}
    for known in (first, {}, ready.remote):
        assert opened(fake, **ALIKE).ensure(replace(target, remote=known), []) == first
    (made,) = lookalikes(fake)
    assert made["name"] == "Recent buyers lookalike US, DE 2 %"
    assert made["lookalike_spec"] == {
        "ratio": 0.02,
        "location_spec": {"geo_locations": {"countries": ["DE", "US"]}},
        "allow_international_seeds": True,
    }
    ready = replace(ready, remote=first)
    assert destination.figures(ready).detail == f"lookalike {made['id']}"
    assert (destination.setting_up(ready), destination.setting_up(target)) == (1, 5)


def test_another_share_is_another_lookalike(fake, seed, changes, opened, target):
    """If this fails, a change of the settings is never carried out."""
    destination, ready = seed(fake, **ALIKE)
    destination.apply(ready, changes(CROWD))
    destination.ensure(ready, [])
    other = {"lookalikes": {"buyers": {"countries": ["US"], "share": 0.05, "beyond": 0.02}}}
    opened(fake, **other).ensure(target, [])
    names = sorted(one["name"] for one in lookalikes(fake))
    assert names == ["Recent buyers lookalike US 2 to 5 %", "Recent buyers lookalike US, DE 2 %"]


@pytest.mark.fault(1)
def test_a_lookalike_made_by_a_run_that_died_is_found(fake, seed, changes):
    """If this fails, a crash after creation leaves two lookalikes."""
    destination, ready = seed(fake, **ALIKE)
    destination.apply(ready, changes(CROWD))
    fake.fault(path="/customaudiences", method="POST", status=502, body="", after_apply=True)
    assert set(destination.ensure(ready, [])) == {"audience_id"}
    found = destination.ensure(ready, [])
    assert found["lookalike_id"] == lookalikes(fake)[0]["id"]
    assert len(lookalikes(fake)) == 1


def test_the_same_lookalike_made_by_hand_is_enough(fake, seed, changes):
    """If this fails, #2654 comes back with every run."""
    destination, ready = seed(fake, **ALIKE)
    destination.apply(ready, changes(CROWD))
    spec = {
        "ratio": 0.02,
        "location_spec": {"geo_locations": {"countries": ["DE", "US"]}},
        "allow_international_seeds": True,
    }
    by_hand = {
        "name": "By hand",
        "subtype": "LOOKALIKE",
        "origin_audience_id": ready.remote["audience_id"],
        "lookalike_spec": json.dumps(spec),
    }
    assert fake.graph("POST", "act_100200300/customaudiences", json=by_hand).ok
    found = destination.ensure(ready, [])
    assert found["lookalike_id"] == "another's"
    before = len(fake.requests())
    assert destination.ensure(replace(ready, remote=found), []) == found
    assert len(fake.requests()) == before + 1


@pytest.mark.parametrize("code", [100, 200, 80003, 1])
def test_a_lookalike_that_cannot_be_made_keeps_nobody_out(fake, seed, changes, code, caplog):
    """If this fails, a removal after a withdrawn consent waits for a lookalike."""
    destination, ready = seed(fake, **ALIKE)
    destination.apply(ready, changes(CROWD))
    body = {"error": {"code": code, "message": "text"}}
    fake.fault(path="/customaudiences", method="POST", status=400, body=body)
    assert destination.ensure(ready, []) == ready.remote
    assert "no lookalike yet" in caplog.text
    assert "lookalike_id" in destination.ensure(ready, [])


def test_values_go_with_people(fake, seed, changes):
    """If this fails, a seed is weighed by nothing, or an audience that wants values refuses all."""
    destination, ready = seed(fake, values={"buyers": "lifetime_value"})
    assert ready.remote["values"] == "yes"
    assert "value" in destination.can.identifiers
    rich, poor = changes(EMAILS[:2])
    rich = replace(rich, identifiers={**rich.identifiers, "value": "44.50"})
    receipts = destination.apply(ready, [rich, poor])
    assert [one.verdict for one in receipts] == ["confirmed"] * 2
    held = {row["EMAIL"]: row for row in fake.members(ready.remote["audience_id"])}
    assert held[rich.identifiers["email"]]["LOOKALIKE_VALUE"] == "44.50"
    assert held[poor.identifiers["email"]]["LOOKALIKE_VALUE"] == "0"
    richer = replace(rich, identifiers={**rich.identifiers, "value": "9"})
    destination.apply(ready, [richer])
    destination.apply(ready, [replace(rich, op="remove")])
    assert len(fake.members(ready.remote["audience_id"])) == 1
    destination.replace(ready, [rich], destination.context.now)
    assert [row["LOOKALIKE_VALUE"] for row in fake.members(ready.remote["audience_id"])] == [
        "44.50"
    ]


def test_who_share_a_row_count_by_the_highest(fake, seed, changes):
    """If this fails, two people of one address are two rows, one of which Meta drops."""
    destination, ready = seed(fake, values={"buyers": "lifetime_value"})
    people = [
        replace(one, identifiers={**one.identifiers, "value": value})
        for one, value in zip(changes([EMAILS[0]] * 3), ("9", "100.00", ""), strict=True)
    ]
    assert {one.verdict for one in destination.apply(ready, people)} == {"confirmed"}
    assert [row["LOOKALIKE_VALUE"] for row in fake.members(ready.remote["audience_id"])] == [
        "100.00"
    ]


@pytest.mark.parametrize("value", ["1,000", "-5", "1e3", "many", "NaN"])
def test_a_value_that_is_no_number_is_refused(fake, seed, changes, value):
    """If this fails, one value takes its whole batch down."""
    destination, ready = seed(fake, values={"buyers": "lifetime_value"})
    bad = changes(EMAILS[:1], value=value)
    good = [replace(one, member="x" + one.member) for one in changes(EMAILS[1:])]
    receipts = destination.apply(ready, [*bad, *good])
    assert [one.verdict for one in receipts] == ["rejected"] + ["confirmed"] * 4
    assert receipts[0].reason.startswith("malformed")


def test_values_of_an_audience_that_takes_none(fake, seed, changes, opened):
    """If this fails, what a person is worth goes where nobody asked for it, or blocks the list."""
    destination, ready = seed(fake)
    receipts = destination.apply(ready, changes(EMAILS[:1], value="7"))
    assert receipts[0].verdict == "confirmed"
    assert all("LOOKALIKE_VALUE" not in row for row in fake.members(ready.remote["audience_id"]))
    with pytest.raises(Stop, match="without values") as raised:
        opened(fake, values={"buyers": "lifetime_value"}).ensure(ready, [])
    assert "options.values" in raised.value.hint


@pytest.mark.parametrize(("wanted", "sent"), [(None, None), (True, '["LDU"]'), (False, "[]")])
def test_limited_data_use(fake, seed, changes, wanted, sent):
    """If this fails, an opt-out of people in US states is not passed on."""
    destination, ready = seed(fake, limited_data_use=wanted)
    destination.apply(ready, changes(EMAILS))
    rows = fake.members(ready.remote["audience_id"])
    assert {row.get("DATA_PROCESSING_OPTIONS") for row in rows} == {sent}
    places = {row.get("DATA_PROCESSING_OPTIONS_COUNTRY") for row in rows}
    assert places == ({"0"} if wanted else {None})
    gone = destination.apply(ready, changes(EMAILS[:4], "remove"))
    assert {one.verdict for one in gone} == {"confirmed"}
    destination.replace(ready, changes(EMAILS[:1]), destination.context.now)
    rows = fake.members(ready.remote["audience_id"])
    assert [row.get("DATA_PROCESSING_OPTIONS") for row in rows] == [sent]


def test_a_refused_row_is_found_beside_other_columns(fake, seed, changes):
    """If this fails, a sample that holds our own constants names no row."""
    destination, ready = seed(fake, limited_data_use=True)
    bad = Change("p", "add", identifiers={"device_id": "ab" * 32})
    receipts = destination.apply(ready, [bad, *changes(EMAILS)])
    assert [one.verdict for one in receipts] == ["rejected"] + ["confirmed"] * 5
    assert receipts[0].reason == "invalid_entry: invalid mobile advertiser id"


def test_tiers(fake, opened):
    """If this fails, the hub runs above what the app's tier allows, or far below."""
    found = {tier: opened(fake, tier=tier).can.ceilings for tier in ("limited", "full")}
    assert [(one.calls, one.seconds) for (one,) in found.values()] == [
        (5_000, 3600.0),
        (190_000, 3600.0),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"countries": [], "share": 0.01},
        {"countries": ["usa"], "share": 0.01},
        {"countries": ["US"], "share": 0.21},
        {"countries": ["US"], "share": 0.015},
        {"countries": ["US"], "share": 0.02, "beyond": 0.02},
        {"countries": ["US"]},
    ],
)
def test_wrong_lookalikes_are_refused(wrong):
    """If this fails, Meta refuses what the settings let through."""
    with pytest.raises(ValidationError):
        Options(ad_account_id="1", lookalikes={"buyers": wrong})


def test_an_audience_without_an_id_is_found_again(destination, target, fake):
    """If this fails, an answer without an id leaves an orphan."""
    fake.fault(path="/customaudiences", method="POST", set_json={"id": None})
    with pytest.raises(OutcomeUnknown):
        destination.ensure(target, [])
    first = destination.ensure(target, [])
    clock = fake.sandbox.clock
    clock.set(clock.now() + timedelta(days=1))
    assert destination.ensure(target, []) == first


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("People with diabetes", True),
        ("Low-debt companies", True),
        ("high_income households", True),
        ("Cancer patients in Ohio", True),
        ("Recent buyers", False),
        ("In-market fintech", False),
        ("Outpatience", False),
    ],
)
def test_a_name_that_meta_may_flag_is_told_before(destination, target, label, told):
    """If this fails, a list is blocked by 471 that a look at its name would have saved."""
    found = destination.advice(replace(target, label=label), 5_000)
    assert [("471" in one, "buyers" in one) for one in found] == [(True, True)] * told


def test_small_lists_are_told_too(destination, target):
    """If this fails, the advice of a size is lost beside that of a name."""
    assert len(destination.advice(replace(target, label="Debtors"), 7)) == 2
