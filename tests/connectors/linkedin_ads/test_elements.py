"""Laws of turning changes into elements and answers into verdicts."""

import hashlib
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from audiencehub.model import Change
from connectors.linkedin_ads.elements import MOST_ELEMENTS, prepare, verdicts

hashes = st.integers(0, 5).map(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
people = st.fixed_dictionaries(
    {},
    optional={"email": hashes, "first_name": st.sampled_from(["Ann", "Bo"]), "device_id": hashes},
)
firms = st.fixed_dictionaries(
    {},
    optional={
        "company_domain": st.sampled_from(["a.example", "b.example", ""]),
        "company_name": st.sampled_from(["A", "B"]),
    },
)


def batches(identifiers):
    change = st.builds(
        Change,
        st.integers(0, 99).map(str),
        st.sampled_from(["add", "remove", "set"]),
        identifiers=identifiers,
    )
    return st.lists(change, max_size=40)


both = st.one_of(
    st.tuples(batches(people), st.just("USER")), st.tuples(batches(firms), st.just("COMPANY"))
)


def names(element):
    ids = [one["idValue"] for one in element.get("userIds", ())]
    named = ("companyWebsiteDomain", "companyName", "organizationUrn")
    return set(ids) | {(name, element[name]) for name in named if name in element}


@given(both)
def test_every_change_is_carried_once_or_refused(case):
    """If this fails, somebody gets no verdict, or two."""
    batch, kind = case
    calls, refused = prepare(batch, kind)
    carried = [p for call in calls for places in call.places for p in places]
    assert sorted([*carried, *refused]) == list(range(len(batch)))
    for call in calls:
        assert 0 < len(call.elements) == len(call.places) <= MOST_ELEMENTS
        assert len({repr(e) for e in call.elements}) == len(call.elements)


@given(both)
def test_no_call_says_two_things_of_one_member(case):
    """If this fails, LinkedIn decides whether who was added and removed stays."""
    for call in prepare(*case)[0]:
        said = defaultdict(set)
        for element in call.elements:
            for name in names(element):
                said[name].add(element["action"])
        assert all(len(actions) == 1 for actions in said.values())


@given(both)
def test_the_order_of_what_is_said_of_a_member_stays(case):
    """If this fails, an old word on a member comes after the new one."""
    batch, kind = case
    sent = defaultdict(list)
    for call in prepare(batch, kind)[0]:
        for element, places in zip(call.elements, call.places, strict=True):
            for name in names(element):
                sent[name].append((max(places), element["action"]))
    for name, said in sent.items():
        last = max(said)[1]
        assert said[-1][1] == last, name


@given(both, st.data())
def test_answers_go_to_the_elements_they_stand_for(case, data):
    """If this fails, one person's refusal is another's."""
    for call in prepare(*case)[0]:
        statuses = data.draw(
            st.lists(
                st.sampled_from([201, 400, 429, 500]),
                min_size=len(call.elements),
                max_size=len(call.elements),
            )
        )
        found = verdicts(call, {"elements": [{"status": s} for s in statuses]})
        meant = {201: "confirmed", 400: "rejected", 429: "retry", 500: "unknown"}
        assert [one[0] for one in found] == [meant[s] for s in statuses]
        assert verdicts(call, {"elements": [{"status": 201}] * (len(statuses) + 1)}) is None
