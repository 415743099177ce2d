"""Laws of turning changes into items and items' fates into receipts."""

import hashlib
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.model import Change
from connectors.microsoft_ads.items import Fates, Items, prepare
from connectors.microsoft_ads.whole import whole

KINDS = {"email": "Email", "external_id": "CRM"}
hashes = st.integers(0, 20).map(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
changes = st.lists(
    st.builds(
        Change,
        st.integers(0, 99).map(str),
        st.sampled_from(["add", "remove"]),
        identifiers=st.fixed_dictionaries(
            {},
            optional={
                "email": hashes | st.just("") | st.just("mary@acme.example"),
                "external_id": st.sampled_from(["C-1", "C-2", ""]),
            },
        ),
    ),
    max_size=30,
)
actions = {"add": "Add", "remove": "Remove"}


@given(changes)
def test_every_identifier_is_carried_or_its_person_refused(batch):
    """If this fails, somebody gets no verdict, or an identifier never goes out."""
    calls, refused = prepare(batch)
    carried = {
        (place, call.kind, value)
        for call in calls
        for value, places in zip(call.values, call.places, strict=True)
        for place in places
    }
    wanted = {
        (place, KINDS[name], value)
        for place, change in enumerate(batch)
        if place not in refused
        for name, value in change.identifiers.items()
        if value
    }
    assert carried == wanted
    assert {place for place, _, _ in carried} | set(refused) == set(range(len(batch)))


@given(changes)
def test_calls_are_of_one_kind_without_repeats_removals_first(batch):
    """If this fails, Microsoft refuses a call, or takes out whom another has just brought in."""
    calls, _ = prepare(batch)
    order = [call.action for call in calls]
    assert order == sorted(order, key=lambda one: one != "Remove")
    assert len({(call.action, call.kind) for call in calls}) == len(calls)
    for call in calls:
        assert len(set(call.values)) == len(call.values)
        assert "mary@acme.example" not in call.values
        for places in call.places:
            assert {actions[batch[place].op] for place in places} == {call.action}


@given(st.integers(2, 9))
def test_halves_are_the_whole(size):
    """If this fails, a call that is cut in two loses an item, or gives it to another person."""
    call = Items(
        "Add", "CRM", tuple(f"C-{n}" for n in range(size)), tuple((n,) for n in range(size))
    )
    left, right = call.halves()
    assert (left.values + right.values, left.places + right.places) == (call.values, call.places)
    assert left.values and right.values


@pytest.mark.parametrize(
    ("fates", "verdict"),
    [
        (["confirmed", "rejected"], "confirmed"),
        (["confirmed", "retry"], "unknown"),
        (["confirmed", "unknown"], "unknown"),
        (["rejected", "retry"], "retry"),
        (["rejected", "unknown"], "unknown"),
        (["retry", "unknown"], "unknown"),
        (["confirmed", "rejected", "retry"], "unknown"),
        (["rejected", "rejected"], "rejected"),
    ],
)
def test_a_person_is_in_by_any_item_and_out_by_none_that_is_open(fates, verdict):
    """If this fails, somebody who is in the list is taken for out, and never removed."""
    for order in permutations(fates):
        found = Fates([Change("p", "add")])
        for one in order:
            found.note([0], one, f"text of {one}")
        (receipt,) = found.receipts().values()
        assert receipt.verdict == verdict


@given(changes, st.booleans())
def test_replacing_comes_to_the_same_under_both_readings(batch, clears_all):
    """If this fails, what a replaced list holds depends on what Microsoft means by Replace."""
    keep = [one for one in batch if one.op == "add"]
    held = {("Email", "stranger"), ("CRM", "stranger")}
    for call in whole(keep, ["Email", "CRM"], "salt"):
        given_items = {(call.kind, value) for value in call.values}
        if call.action == "Replace":
            held = {one for one in held if not clears_all and one[0] != call.kind} | given_items
        elif call.action == "Add":
            held |= given_items
        else:
            held -= given_items
    adds, _ = prepare(keep)
    assert held == {(call.kind, value) for call in adds for value in call.values}
