"""Members as Google wants them: what goes out, what stays, in whatever order they come."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiencehub.model import Change
from connectors.google_ads import members
from connectors.google_ads.members import prepare


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


hashes = st.sampled_from([sha(str(n)) for n in range(4)])
fields = st.fixed_dictionaries(
    {},
    optional={
        "email": st.one_of(hashes, st.sampled_from(["mary@acme.example", sha("")])),
        "phone": hashes,
        "first_name": hashes,
        "last_name": hashes,
        "zip": st.sampled_from(["94045", "SW1A 2AA", sha("94045")]),
        "country": st.sampled_from(["US", "us"]),
        "device_id": st.just("x"),
    },
)
ops = st.sampled_from(["add", "remove", "set"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(fields, ops), max_size=30), st.integers(1, 7))
def test_every_change_is_answered_once_or_sent_once(rows, most):
    """If this fails, a change is lost between two requests, or answered for another."""
    changes = [Change(f"p{n}", op, identifiers=ids) for n, (ids, op) in enumerate(rows)]
    kept, members.MOST_MEMBERS = members.MOST_MEMBERS, most
    try:
        uploads, refused = prepare(changes)
    finally:
        members.MOST_MEMBERS = kept
    sent = [place for one in uploads for places in one.places for place in places]
    assert sorted([*sent, *refused]) == list(range(len(changes)))
    for upload in uploads:
        assert 0 < len(upload.people) <= most
        assert len(set(upload.people)) == len(upload.people) == len(upload.places)
        for person, places in zip(upload.people, upload.places, strict=True):
            assert person and {changes[place].op for place in places} == {upload.op}
            assert all(set(person) <= set(changes[place].identifiers.items()) for place in places)
            assert "mary" not in str(person) and sha("") not in str(person)
    assert all(one.verdict == "rejected" and one.reason for one in refused.values())
    assert "mary" not in str(refused)


def test_removals_go_before_adds():
    """If this fails, who shares an address with somebody removed is taken out with them."""
    both = {"email": sha("shared")}
    uploads, _ = prepare(
        [Change("a", "add", identifiers=both), Change("b", "remove", identifiers=both)]
    )
    assert [one.op for one in uploads] == ["remove", "add"]


def test_removals_say_what_the_adds_said():
    """If this fails, people are removed by other keys than they were added by, that is: never."""
    whole = {
        "email": sha("e"),
        "phone": sha("p"),
        "first_name": sha("f"),
        "last_name": sha("l"),
        "zip": "94045",
        "country": "US",
    }
    for ids in (whole, {**whole, "country": "DE"}, {k: whole[k] for k in ("email", "zip")}):
        said = []
        for op in ("add", "remove"):
            (upload,), _ = prepare([Change("a", op, identifiers=ids)])
            said.append(upload.members())
        assert said[0] == said[1] and said[0]


@pytest.mark.parametrize("code", ["94045", "94045-1234", "SW1A 2AA", "10115", "D02 X285"])
def test_postal_codes_of_many_countries_pass(code):
    """If this fails, addresses of whole countries are left out."""
    ids = {"first_name": sha("f"), "last_name": sha("l"), "zip": code, "country": "GB"}
    (upload,), refused = prepare([Change("a", "add", identifiers=ids)])
    assert not refused and dict(upload.people[0])["zip"] == code
