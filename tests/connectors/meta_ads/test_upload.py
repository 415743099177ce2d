"""Laws of turning changes into rows and replies into verdicts."""

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from audiencehub.model import Change
from connectors.meta_ads.upload import limited_use, outcome, prepare
from connectors.meta_ads.whole import parts

hashes = st.integers(0, 30).map(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
identifiers = st.fixed_dictionaries(
    {},
    optional={
        "email": hashes,
        "phone": hashes,
        "first_name": hashes,
        "country": hashes,
        "external_id": st.sampled_from(["C-1", "C-2"]),
    },
)
changes = st.lists(
    st.builds(
        Change,
        st.integers(0, 99).map(str),
        st.sampled_from(["add", "remove"]),
        identifiers=identifiers,
    ),
    max_size=40,
)


@given(changes)
def test_every_change_is_carried_once_or_refused(batch):
    """If this fails, somebody gets no verdict, or two."""
    uploads, refused = prepare(batch)
    carried = [place for u in uploads for places in u.places for place in places]
    assert sorted([*carried, *refused]) == list(range(len(batch)))


@given(changes)
def test_rows_say_what_the_changes_say(batch):
    """If this fails, a hash stands in the wrong column."""
    names = {
        "EMAIL": "email",
        "PHONE": "phone",
        "FN": "first_name",
        "COUNTRY": "country",
        "EXTERN_ID": "external_id",
    }
    for upload in prepare(batch)[0]:
        assert len(set(upload.rows)) == len(upload.rows)
        for row, places in zip(upload.rows, upload.places, strict=True):
            cells = {names[c]: v for c, v in zip(upload.columns, row, strict=True) if v}
            for place in places:
                assert batch[place].op == upload.op
                assert dict(batch[place].identifiers) == cells
            if "EXTERN_ID" in upload.columns:
                assert "external_id" in cells


@given(changes, st.data())
def test_named_rows_are_the_invalid_ones(batch, data):
    """If this fails, Meta's sample of one person rejects another."""
    for upload in prepare(batch)[0]:
        bad = data.draw(st.sets(st.integers(0, len(upload.rows) - 1)))
        samples = {json.dumps(list(upload.rows[n])): "bad" for n in bad}
        found = outcome(
            upload,
            {
                "num_received": len(upload.rows),
                "num_invalid_entries": len(bad),
                "invalid_entry_samples": samples,
            },
        )
        assert found is not None
        assert set(found.invalid) == bad
        assert found.unnamed == 0


@given(changes, st.integers(-3, 3).filter(bool))
def test_other_counts_prove_nothing(batch, off):
    """If this fails, a reply about other rows confirms ours."""
    for upload in prepare(batch)[0]:
        assert outcome(upload, {"num_received": len(upload.rows) + off}) is None


@given(changes, changes)
def test_sessions_are_positive_and_differ(one, other):
    """If this fails, two uploads share a session and Meta discards one."""
    uploads = {(u.op, u.columns, u.rows): u for u in prepare(one)[0] + prepare(other)[0]}
    numbers = {u.session("salt") for u in uploads.values()}
    assert len(numbers) == len(uploads)
    assert all(0 < number < 2**63 for number in numbers)
    assert all(u.session("salt") != u.session("pepper") for u in uploads.values())


@given(changes)
def test_one_session_and_what_is_added_after_it_hold_every_row(batch):
    """If this fails, a replacement forgets somebody, or leaves an own id's column empty."""
    uploads, _ = prepare(batch)
    rows, others = parts(uploads)
    adds = [one for one in uploads if one.op == "add"]
    found = [*([rows] if rows else []), *others]

    def people(those):
        return {
            tuple((name, value) for name, value in zip(one.columns, row, strict=True) if value)
            for one in those
            for row in one.rows
        }

    assert people(found) == people(adds)
    assert sum(len(one.rows) for one in found) == sum(len(one.rows) for one in adds)
    for one in found:
        if "EXTERN_ID" in one.columns:
            assert all(row[one.columns.index("EXTERN_ID")] for row in one.rows)


@given(changes, st.booleans())
def test_constants_stand_beside_every_row_of_an_addition(batch, limited):
    """If this fails, a row says nothing of limited use, or a removal finds nobody."""
    more = limited_use(limited)
    for upload in prepare(batch, more=more)[0]:
        sent = upload.payload()
        extra = len(more) if upload.op == "add" else 0
        assert len(sent["schema"]) == len(upload.columns) + extra
        assert all(len(row) == len(sent["schema"]) for row in sent["data"])
        assert [tuple(row[: len(upload.columns)]) for row in sent["data"]] == list(upload.rows)
