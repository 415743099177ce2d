"""The connector's front page, and the laws of its uploads."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from audiencehub import connector
from audiencehub.model import Change, Need
from audiencehub.privacy import PLATFORMS
from connectors.tiktok_ads.options import Options
from connectors.tiktok_ads.upload import MOST_ROWS, SCHEMA, prepare

hashes = st.integers(0, 6).map(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
batches = st.lists(
    st.builds(
        Change,
        st.integers(0, 99).map(str),
        st.sampled_from(["add", "remove", "set"]),
        identifiers=st.fixed_dictionaries({}, optional={"email": hashes, "phone": hashes}),
    ),
    max_size=40,
)


def test_the_front_page_leads_somewhere():
    """If this fails, the hub lists TikTok but cannot open it."""
    spec = connector.spec("tiktok_ads")
    for path in (spec.destination, spec.sandbox, spec.options):
        assert connector.load(path)
    can = connector.load(spec.destination).can
    assert set(can.identifiers) == set(SCHEMA) <= set(PLATFORMS[can.platform])
    assert can.need == Need("advertising", "ads")
    assert (can.batch_size, can.mixed, can.counts, can.minimum) == (1_000, False, True, 1_000)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"advertiser_id": "x"},
        {"advertiser_id": "1", "calls_per_second": 0},
        {"advertiser_id": "1", "typo": 1},
        {"advertiser_id": "1", "token": "a-token-in-the-clear"},
    ],
)
def test_wrong_options_are_refused(options):
    """If this fails, a typing error, or a secret in a file, passes silently."""
    with pytest.raises(ValidationError) as error:
        Options(**options)
    assert "in-the-clear" not in str(error.value)


@given(batches)
def test_every_change_is_carried_once_or_refused(batch):
    """If this fails, somebody gets no verdict, or two."""
    uploads, refused = prepare(batch)
    carried = [p for upload in uploads for places in upload.places for p in places]
    assert sorted([*carried, *refused]) == list(range(len(batch)))
    assert all(0 < len(upload.rows) <= MOST_ROWS for upload in uploads)


@given(batches)
def test_ids_stand_where_the_schema_says(batch):
    """If this fails, a phone's hash is mapped as an address, or an addition as a removal."""
    for upload in prepare(batch)[0]:
        body = upload.body("1", "2")
        assert len(set(body["id_schema"])) == len(body["id_schema"])
        for row, places in zip(body["batch_data"], upload.places, strict=True):
            found = zip(body["id_schema"], row, strict=True)
            told = {kind: cell["id"] for kind, cell in found if cell}
            assert told
            for place in places:
                change = batch[place]
                assert {SCHEMA[n]: v for n, v in change.identifiers.items()} == told
                assert body["action"] == {"add": "add", "remove": "delete"}[change.op]


@given(batches)
def test_what_is_said_last_is_sent_last(batch):
    """If this fails, who was added and withdrew in one batch stays."""
    sent = [
        (max(places), cell, upload.action)
        for upload in prepare(batch)[0]
        for row, places in zip(upload.rows, upload.places, strict=True)
        for cell in row
        if cell
    ]
    for cell in {one[1] for one in sent}:
        said = [(place, action) for place, own, action in sent if own == cell]
        assert said[-1][1] == max(said)[1]
