"""The laws of the diff, on random states."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from audiencehub.delivery.desired import Desired
from audiencehub.delivery.diff import (
    CONSENT,
    diff_list,
    diff_tags,
    parted,
    plan_hash,
    renamed,
)
from audiencehub.delivery.shared import left_over, pairs
from audiencehub.ledger import Believed, tag_hash, tag_text, tag_value

TAG_SETS = st.frozensets(st.sampled_from("abcd"), min_size=1)
MEMBERS = st.sampled_from([f"m{n}" for n in range(6)])
STATES = st.dictionaries(MEMBERS, TAG_SETS)


def held(tags):
    return {m: Believed(tag_hash(t), tag_text(t), None) for m, t in tags.items()}


def after(believed, changes):
    state = dict(believed)
    for change in changes:
        state[change.member] = frozenset(tag_value(change.value).tags)
    return {member: tags for member, tags in state.items() if tags}


@given(believed=STATES, wanted=STATES, barred=st.frozensets(MEMBERS))
def test_plan_lands_exactly_on_desired(believed, wanted, barred):
    """Whatever was there before, believed and plan together are the desired tags."""
    barred &= believed.keys()
    desired = Desired(reasons={m: dict.fromkeys(t, "") for m, t in wanted.items()}, barred=barred)

    diff = diff_tags(desired, held(believed), {})

    assert after(believed, diff.consent + diff.changes) == {
        m: t for m, t in wanted.items() if m not in barred
    }
    assert {one.member for one in diff.consent} == set(barred)
    assert all(one.phase == CONSENT for one in diff.consent)


@given(believed=STATES, wanted=STATES)
def test_incomplete_pull_takes_no_tag(believed, wanted):
    """With a source cut short, no record may hold less after the plan than before."""
    desired = Desired(reasons={m: dict.fromkeys(t, "") for m, t in wanted.items()})

    diff = diff_tags(desired, held(believed), {}, keep=True)

    landed = after(believed, diff.changes)
    assert all(believed[m] <= landed[m] for m in believed)
    assert all(wanted[m] <= landed[m] for m in wanted)


@given(wanted=STATES)
def test_what_is_believed_needs_no_plan(wanted):
    """A second run without change must plan nothing."""
    desired = Desired(reasons={m: dict.fromkeys(t, "new figures") for m, t in wanted.items()})

    assert diff_tags(desired, held(wanted), {}).changes == []


DIGESTS = st.dictionaries(MEMBERS, st.sampled_from(["x", "y", "z"]))


@given(believed=DIGESTS, wanted=DIGESTS, barred=st.frozensets(MEMBERS))
def test_list_plan_lands_exactly_on_desired(believed, wanted, barred):
    """Adds and removals in the order sent leave the desired people with today's identifiers."""
    barred &= believed.keys()
    wanted = {m: d for m, d in wanted.items() if m not in barred}
    now = {m: Believed(d, None, 0) for m, d in believed.items()}

    diff = diff_list("warm", Desired(barred=set(barred)), wanted, now)

    state = dict(believed)
    for change in [*diff.consent, *diff.changes]:
        if change.op == "remove":
            assert state.pop(change.member) == change.value_hash
        else:
            assert change.member not in state
            state[change.member] = change.value_hash
    assert state == wanted


@given(believed=DIGESTS, wanted=DIGESTS)
def test_renaming_keeps_every_identifier(believed, wanted):
    """A merge may move ids, never people: each new member takes over equal identifiers, once."""
    now = {m: Believed(d, None, 0) for m, d in believed.items()}

    pairs = renamed(wanted, now)

    assert len({old for old, _ in pairs}) == len({new for _, new in pairs}) == len(pairs)
    assert all(believed[old] == wanted[new] and old not in wanted for old, new in pairs)


@given(believed=STATES, wanted=STATES, seed=st.randoms())
def test_hash_covers_content_not_order_or_words(believed, wanted, seed):
    """Two plans with one hash must be the same plan, and the same plan must have one hash."""
    desired = Desired(reasons={m: dict.fromkeys(t, "why") for m, t in wanted.items()})
    changes = diff_tags(desired, held(believed), {}).changes
    shuffled = [replace(one, why="other", person=7) for one in changes]
    seed.shuffle(shuffled)
    digest = plan_hash("t", {"a": "1"}, changes)

    assert plan_hash("t", {"a": "1"}, shuffled) == digest
    assert plan_hash("u", {"a": "1"}, changes) != digest
    assert plan_hash("t", {"a": "2"}, changes) != digest
    if changes:
        assert plan_hash("t", {"a": "1"}, changes[1:]) != digest
        other = replace(changes[0], value_hash="0")
        assert plan_hash("t", {"a": "1"}, [other, *changes[1:]]) != digest


def test_who_takes_over_an_identifier_replaces_the_row():
    """If it fails, an undone merge leaves a row on the list that nobody takes out again."""
    leaving = {"1": {"email": "ann@x.example", "phone": "+1"}, "2": {"email": "bo@x.example"}}
    entering = {
        "7": {"email": "ann@x.example"},
        "8": {"phone": "+1"},
        "9": {"email": "cy@x.example"},
    }

    out, into = ({m: list(pairs(v)) for m, v in one.items()} for one in (leaving, entering))
    assert parted(out, into) == [("1", "7")]
    assert parted({}, into) == parted(out, {}) == []


OWNERS = st.dictionaries(st.sampled_from("123456"), st.sampled_from("abc"), max_size=6)


def records_of(owners):
    found = {}
    for record, person in sorted(owners.items()):
        found.setdefault(person, []).append(record)
    return {person: {"records": ",".join(ids)} for person, ids in found.items()}


@given(before=OWNERS, after=OWNERS)
def test_records_that_change_hands_stay_on_the_list(before, after):
    """If it fails, a merge of two people takes a record off a list of the CRM that the one who is
    left still has, and the ledger has it there."""
    old, new = records_of(before), records_of(after)
    leaving = old.keys() - new.keys()
    shared = {pair for values in new.values() for pair in pairs(values)}
    held, touched = set(before), set()

    def take_out(person, own):
        gone = left_over(old[person], shared, own)
        ids = gone["records"].split(",") if gone else []
        held.difference_update(ids)
        touched.update(ids)

    for person in sorted(old.keys() & new.keys()):
        if old[person] != new[person]:
            take_out(person, new[person])
    held |= set(after)
    for person in sorted(leaving):
        take_out(person, {})

    assert held == set(after)
    assert touched == set(before) - set(after), "nobody who stays is taken out in between"


def test_a_value_that_is_kept_goes_out_with_its_row():
    """If it fails, a changed phone leaves the old row behind: there a row goes by all its values
    together. A value that another member has stays with that one."""
    sent = {"email": "a", "phone": "1", "first_name": "ann"}
    shared = {("email", "a"), ("phone", "2")}
    assert left_over(sent, shared, {"email": "a", "phone": "2"}) == sent
    assert left_over(sent, shared, {}) == {"phone": "1", "first_name": "ann"}
    assert left_over({"email": "a", "first_name": "ann"}, shared, {}) == {}
