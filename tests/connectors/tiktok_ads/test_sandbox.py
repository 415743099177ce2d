"""The TikTok fake checks what TikTok checks (ads.md §11.5)."""

import pytest
import requests

ONE, TWO = "ab" * 32, "cd" * 32
BOTH = ("EMAIL_SHA256", "PHONE_SHA256")


@pytest.fixture
def audience(fake):
    return fake.audience()["data"]["audience_id"]


def cell(audience, value=ONE):
    return {"id": value, "audience_ids": [audience]}


def test_every_refusal_comes_with_success(fake, audience):
    """If this fails, a client that trusts HTTP 200 passes here and fails there."""
    for reply in (
        fake.mapping([]),
        fake.audience(""),
        fake.call("GET", "dmp/custom_audience/get/"),
    ):
        assert reply["code"] == 40002 and reply["request_id"]


@pytest.mark.parametrize(
    ("token", "code"), [("", 40104), ("wrong", 40105), ("sandbox-expired", 40102)]
)
def test_tokens(fake, token, code):
    """If this fails, a wrong token passes."""
    assert fake.call("GET", "dmp/custom_audience/list/", token)["code"] == code


def test_placeholders_keep_ids_in_their_places(fake, audience):
    """If this fails, a row that leaves an id out is taken, and shifts what follows."""
    rows = [[{}, cell(audience)], [cell(audience, TWO), {}]]
    assert fake.mapping(rows, BOTH)["code"] == 0
    assert fake.ids(audience) == [("EMAIL_SHA256", TWO), ("PHONE_SHA256", ONE)]
    assert fake.mapping([[cell(audience)]], BOTH)["code"] == 40002
    assert fake.mapping([[{}, {}]], BOTH)["code"] == 40002
    assert fake.mapping([[None, cell(audience)]], BOTH)["code"] == 40002
    assert fake.mapping([[{"id": ONE}]])["code"] == 40002


@pytest.mark.parametrize(
    "schema", [("EMAIL_SHA256", "email_sha256"), ("EMAIL",), (), ("EMAIL_SHA256", "X")]
)
def test_the_schema_is_checked(fake, audience, schema):
    """If this fails, a doubled or unknown kind of id is taken."""
    assert fake.mapping([[cell(audience)] * max(1, len(schema))], schema)["code"] == 40002
    assert fake.ids(audience) == []


def test_kinds_may_be_written_small(fake, audience):
    """If this fails, what TikTok takes is refused here."""
    assert fake.mapping([[cell(audience)]], ["email_sha256"])["code"] == 0


@pytest.mark.parametrize("value", ["mary@acme.example", "AB" * 32, "", "ab" * 16])
def test_one_unhashed_id_refuses_the_whole_call(fake, audience, value):
    """If this fails, raw ids are taken, or the good rows beside them."""
    assert fake.mapping([[cell(audience, TWO)], [cell(audience, value)]])["code"] == 40002
    assert fake.ids(audience) == []


def test_an_audience_must_be_the_advertisers(fake, audience):
    """If this fails, ids land in an audience of another account."""
    row = [[cell(audience)]]
    assert fake.mapping(row, advertiser_ids=["8"])["code"] == 40002
    assert fake.mapping(row, advertiser_ids=["8", "7000000000000000001"])["code"] == 0
    assert fake.mapping([[cell("999")]])["code"] == 40002
    gone = {"advertiser_id": "8", "action": "delete", "delete_audience_id": audience}
    assert fake.call("POST", "segment/audience/", json=gone)["code"] == 40002


@pytest.mark.parametrize(
    "more",
    [
        {"action": "update"},
        {"advertiser_ids": "7000000000000000001"},
        {"advertiser_ids": [7000000000000000001]},
        {"batch_data": [[{}]] * 1_001},
        {"colour": "red"},
    ],
)
def test_a_mapping_is_checked(fake, audience, more):
    """If this fails, a call is taken that TikTok would refuse."""
    assert fake.mapping([[cell(audience)]], **more)["code"] == 40002


def test_mappings_are_a_set(fake, audience):
    """If this fails, adding twice counts twice, or a removal of nobody is an error."""
    for action in ("add", "add", "delete", "delete"):
        assert fake.mapping([[cell(audience)]], action=action)["code"] == 0
    changed = [one["changed"] for one in fake.sandbox.store.table("__writes").values()]
    assert changed == [True, False, True, False]
    assert fake.ids(audience) == []


def test_names_are_cut_without_a_word(fake):
    """If this fails, no test here meets a mark that TikTok cut off."""
    fake.audience("x" * 71)
    fake.audience("y" * 70)
    names = [one["name"] for one in fake.sandbox.store.table("audience").values()]
    assert names == ["x" * 67 + "...", "y" * 70]


def test_four_hundred_audiences_and_no_more(fake):
    """If this fails, the fake makes more audiences than an advertiser may have."""
    codes = [fake.audience(str(n))["code"] for n in range(401)]
    assert codes == [0] * 400 + [40002]


def test_pages(fake):
    """If this fails, paging skips audiences or repeats them."""
    for n in range(7):
        fake.audience(f"A{n}")
    seen = []
    for page in (1, 2, 3):
        query = {"advertiser_id": "7000000000000000001", "page": page, "page_size": 3}
        data = fake.call("GET", "dmp/custom_audience/list/", params=query)["data"]
        assert data["page_info"]["total_number"] == 7 and data["page_info"]["total_page"] == 3
        seen += [one["name"] for one in data["list"]]
    assert seen == [f"A{n}" for n in reversed(range(7))]
    query["page_size"] = 101
    assert fake.call("GET", "dmp/custom_audience/list/", params=query)["code"] == 40002


def test_details_of_audiences(fake, audience):
    """If this fails, ids that are no JSON list, or another's audience, are answered."""
    query = {"advertiser_id": "7000000000000000001", "custom_audience_ids": f'["{audience}","9"]'}
    (found,) = fake.call("GET", "dmp/custom_audience/get/", params=query)["data"]["list"]
    assert found["audience_details"]["audience_id"] == audience
    assert found["audience_details"]["is_valid"] is False
    other = {**query, "advertiser_id": "8"}
    assert fake.call("GET", "dmp/custom_audience/get/", params=other)["data"]["list"] == []
    wrong = {**query, "custom_audience_ids": audience}
    assert fake.call("GET", "dmp/custom_audience/get/", params=wrong)["code"] == 40002


def test_counts_come_with_the_clock(fake, audience):
    """If this fails, an audience is usable at once, or counts one person once per id."""
    for n in range(40):
        pair = [cell(audience, f"{n:064x}"), cell(audience, f"{n + 1000:064x}")]
        fake.mapping([pair], BOTH)
    query = {"advertiser_id": "7000000000000000001", "custom_audience_ids": f'["{audience}"]'}

    def details():
        reply = fake.call("GET", "dmp/custom_audience/get/", params=query)
        return reply["data"]["list"][0]["audience_details"]

    assert (details()["cover_num"], details()["is_valid"]) == (0, False)
    fake.later(hours=25)
    assert 10 < details()["cover_num"] < 40
    assert (details()["is_valid"], details()["is_expiring"]) == (True, False)
    fake.later(days=310)
    assert (details()["is_valid"], details()["is_expiring"]) == (True, True)
    fake.later(days=60)
    assert details()["is_valid"] is False


def test_limits_and_paths(fake_with):
    """If this fails, no test here meets 40100, or a path without its slash works."""
    fake = fake_with(throttle_every=3)
    assert [fake.audience(str(n))["code"] for n in range(3)] == [0, 0, 40100]
    assert len(fake.sandbox.store.table("audience")) == 2
    url = f"{fake.url}/open_api/v1.3/segment/mapping"
    assert requests.post(url, json={}, timeout=20, allow_redirects=False).status_code != 200
    bad = fake.call("POST", "segment/mapping/", data="x=1")
    assert bad["code"] == 40002 and "Content-Type" in bad["message"]
