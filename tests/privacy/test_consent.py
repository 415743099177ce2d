"""The consent law, by example and for every history."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.model import Need
from audiencehub.privacy import Decision, Narrowing, allowed, permitted, ruling

ADS = Need("advertising", "ads")
NOW = datetime(2026, 11, 16, tzinfo=UTC)


def said(status, days_ago=10, *, source="forms", purpose="advertising", channel="ads", record=""):
    at = None if days_ago is None else NOW - timedelta(days=days_ago)
    return Decision(purpose, channel, status, at, source, record)


CASES = [
    ("nothing known", [], False),
    ("a grant", [said("granted")], True),
    ("a denial", [said("denied")], False),
    ("for another purpose", [said("granted", purpose="marketing")], False),
    ("for another channel", [said("granted", channel="email")], False),
    ("for any channel", [said("granted", channel="any")], True),
    ("denied for any channel", [said("granted", 5), said("denied", 4, channel="any")], False),
    ("e-mail denied, ads granted", [said("granted"), said("denied", channel="email")], True),
    ("a later grant of the same source", [said("denied", 9), said("granted", 8)], True),
    ("a later grant elsewhere", [said("denied", 9), said("granted", 8, source="crm")], False),
    ("a later denial", [said("granted", 9), said("denied", 8)], False),
    ("both at once", [said("granted", 9), said("denied", 9)], False),
    ("an undated denial", [said("denied", None), said("granted", 1)], False),
    ("an undated grant", [said("granted", None)], True),
    ("an undated grant after a denial", [said("denied", 9), said("granted", None)], False),
    ("a grant from the future", [said("granted", -1)], False),
    ("a denial from the future", [said("granted", 5), said("denied", -1)], False),
    ("a word we do not know", [said("granted", 5), said("pending", 4)], False),
    ("denied for any purpose", [said("granted"), said("denied", purpose="any", source="x")], False),
    ("granted for any purpose", [said("granted", purpose="any")], False),
    ("two merged records", [said("denied", 9, record="a"), said("granted", 8, record="b")], False),
]


@pytest.mark.parametrize(("_", "decisions", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_law(_, decisions, expected):
    """If this fails, someone who did not say yes is advertised to, or someone who did is not."""
    assert allowed(decisions, ADS, now=NOW) is expected
    assert allowed(reversed(decisions), ADS, now=NOW) is expected


def test_the_reason_names_the_source():
    """If this fails, nobody can tell which system holds the denial."""
    found = ruling([said("granted"), said("denied", source="hubspot")], ADS, now=NOW)
    assert found.reason == "denied for advertising by ads (hubspot)"


def test_permitted_keeps_only_those_who_may():
    """If this fails, a whole list goes out on one person's consent."""
    people = {"p1": [said("granted")], "p2": [], "p3": [said("denied")]}
    assert permitted(people, ADS, now=NOW) == {"p1"}


def test_times_need_a_zone():
    """If this fails, a denial is ordered by the wrong clock."""
    with pytest.raises(ValueError, match="zone"):
        Decision("advertising", "ads", "denied", datetime(2026, 1, 1), "x")  # noqa: DTZ001


decisions = st.builds(
    Decision,
    st.sampled_from(["advertising", "marketing", "any"]),
    st.sampled_from(["ads", "email", "any"]),
    st.sampled_from(["granted", "denied", "unknown"]),
    st.one_of(st.none(), st.integers(-20, 20).map(lambda d: NOW + timedelta(days=d))),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["", "r1", "r2"]),
)
narrowings = st.builds(
    Narrowing,
    st.sampled_from([None, frozenset({"a"}), frozenset()]),
    st.sampled_from([None, timedelta(days=5)]),
    st.sampled_from([(), (Need("marketing", "email"),)]),
)


@given(st.lists(decisions, max_size=6), narrowings)
def test_settings_only_narrow(said_so_far, narrow):
    """If this fails, a line in a settings file makes someone reachable who said no."""
    if allowed(said_so_far, ADS, now=NOW, narrow=narrow):
        assert allowed(said_so_far, ADS, now=NOW)


@given(st.lists(decisions, max_size=6), st.randoms())
def test_order_of_arrival_does_not_matter(said_so_far, random):
    """If this fails, consent depends on which source was read first."""
    shuffled = list(said_so_far)
    random.shuffle(shuffled)
    assert allowed(shuffled, ADS, now=NOW) is allowed(said_so_far, ADS, now=NOW)


@given(st.lists(decisions, max_size=6))
def test_a_denial_from_a_new_source_always_wins(said_so_far):
    """If this fails, a withdrawal is outvoted."""
    denial = Decision("advertising", "ads", "denied", NOW, "a source of its own")
    assert not allowed([*said_so_far, denial], ADS, now=NOW)


@given(st.lists(decisions, max_size=6))
def test_no_grant_no_yes(said_so_far):
    """If this fails, silence counts as consent."""
    without = [d for d in said_so_far if d.status != "granted" or d.purpose != "advertising"]
    assert not allowed(without, ADS, now=NOW)
