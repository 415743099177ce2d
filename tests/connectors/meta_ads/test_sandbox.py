"""The Meta fake behaves as the reference says the real one does."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
import requests

ACCOUNT = "act_100200300"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def upload(*values, schema=("EMAIL",), **session):
    body = {"payload": {"schema": list(schema), "data": [list(v) for v in values]}}
    return {**body, "session": session} if session else body


def code(reply):
    error = reply.json()["error"]
    return error["code"], error.get("error_subcode")


ROWS = [[sha(f"p{n}@acme.example")] for n in range(3)]


def test_every_way_of_sending_parameters(fake):
    """If this fails, a client that sends forms, or DELETE in the address, sees another Meta."""
    audience = fake.audience()
    body = upload(*ROWS)
    form = {"payload": json.dumps(body["payload"])}
    path = f"{audience}/users"
    ways = [
        ("POST", "POST", {"json": body}),
        ("DELETE", "DELETE", {"json": body}),
        ("POST", "POST", {"data": form}),
        ("DELETE", "DELETE", {"data": form}),
        ("POST", "POST", {"json": body}),
        ("DELETE", "DELETE", {"params": form}),
        ("POST", "POST", {"json": body}),
        ("DELETE", "POST", {"data": {**form, "method": "delete"}}),
        ("POST", "POST", {"files": {k: (None, v) for k, v in form.items()}}),
        ("DELETE", "POST", {"json": body, "params": {"method": "DELETE"}}),
    ]
    for meant, method, sent in ways:
        reply = fake.graph(method, path, **sent)
        assert reply.status_code == 200, reply.text
        assert reply.json()["num_received"] == 3
        assert len(fake.members(audience)) == (3 if meant == "POST" else 0)


@pytest.mark.parametrize("data", [[ROWS[0][0], ROWS[1][0]], ROWS[:2]])
@pytest.mark.parametrize("schema", ["EMAIL_SHA256", "EMAIL"])
def test_single_key_uploads_flat_and_nested(fake, schema, data):
    """If this fails, one of the two documented payload shapes is refused."""
    audience = fake.audience()
    reply = fake.graph(
        "POST",
        f"{audience}/users",
        json={
            "payload": {"schema": schema, "data": data},
        },
    )
    assert reply.json()["num_received"] == 2
    assert {row["EMAIL"] for row in fake.members(audience)} == {ROWS[0][0], ROWS[1][0]}


def test_long_addresses_get_html(fake):
    """If this fails, the fault that breaks removals with the official SDK goes unseen."""
    audience = fake.audience()
    many = json.dumps(upload(*([sha(str(n))] for n in range(200)))["payload"])
    reply = fake.graph("DELETE", f"{audience}/users", params={"payload": many})
    assert reply.status_code == 414
    assert reply.headers["content-type"].startswith("text/html")


def test_tokens(fake):
    """If this fails, an expired login looks like any other fault."""
    assert code(fake.graph("GET", ACCOUNT, token="sandbox-expired")) == (190, 463)
    assert code(fake.graph("GET", ACCOUNT, token="sandbox-revoked")) == (190, 460)
    assert code(fake.graph("GET", ACCOUNT, token="wrong")) == (190, None)
    assert code(fake.graph("GET", ACCOUNT, token="")) == (104, None)
    by_query = fake.graph("GET", ACCOUNT, token="", params={"access_token": "sandbox-token"})
    assert by_query.json() == {"id": ACCOUNT}


def test_proof_of_the_app_secret(fake):
    """If this fails, a wrong appsecret_proof passes in tests and fails in production."""
    right = hmac.new(b"sandbox-app_secret", b"sandbox-token", hashlib.sha256).hexdigest()
    assert fake.graph("GET", ACCOUNT, params={"appsecret_proof": right}).ok
    assert code(fake.graph("GET", ACCOUNT, params={"appsecret_proof": "0"})) == (100, None)


def test_version_in_the_path(fake):
    """If this fails, a retired or misspelt version passes."""
    assert fake.graph("GET", ACCOUNT, version="v26.0").ok
    assert code(fake.graph("GET", ACCOUNT, version="25")) == (2635, None)


def test_samples_name_invalid_rows(fake):
    """If this fails, the destination is tested against another shape than the recorded one."""
    audience = fake.audience()
    reply = fake.graph(
        "POST",
        f"{audience}/users",
        json=upload(
            ["mary@acme.example", "C-1"],
            [sha(""), "C-2"],
            [ROWS[0][0], ""],
            [ROWS[0][0].upper(), "C"],
            [ROWS[1][0], "C-4"],
            schema=("EMAIL", "EXTERN_ID"),
        ),
    ).json()
    assert (reply["num_received"], reply["num_invalid_entries"]) == (5, 4)
    assert reply["session_id"] == "0"
    assert reply["invalid_entry_samples"][json.dumps([ROWS[0][0], ""], separators=(",", ":"))] == (
        "empty external ID"
    )
    assert fake.members(audience) == [{"EMAIL": ROWS[1][0], "EXTERN_ID": "C-4"}]


def test_at_most_a_hundred_samples(fake):
    """If this fails, the case of rows that Meta does not name is never exercised."""
    bad = ([f"bad{n}"] for n in range(150))
    reply = fake.graph("POST", f"{fake.audience()}/users", json=upload(*bad)).json()
    assert (reply["num_invalid_entries"], len(reply["invalid_entry_samples"])) == (150, 100)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, 100),
        (upload(schema=("EMAIL",)), 100),
        (upload(*ROWS, schema=("SHOE",)), 100),
        (upload(*ROWS, schema=("EMAIL", "EMAIL")), 100),
        (upload(*ROWS, schema=("EMAIL", "FN")), 100),
        (upload(*([str(n)] for n in range(10_001))), 1),
        (upload(*ROWS, session_id=0, batch_seq=1), 100),
        (upload(*ROWS, session_id=2**63, batch_seq=1), 100),
        (upload(*ROWS, session_id=1, batch_seq=0), 100),
        (upload(*ROWS, session_id=1), 100),
        (upload(*ROWS, session_id=1, batch_seq=2), 100),
    ],
)
def test_malformed_uploads_are_refused_whole(fake, body, expected):
    """If this fails, a wrong request of ours passes here and fails at Meta."""
    audience = fake.audience()
    assert code(fake.graph("POST", f"{audience}/users", json=body))[0] == expected
    assert fake.members(audience) == []


def test_sessions(fake):
    """If this fails, gaps, schema changes and double counts of sessions go unnoticed."""
    audience, path = fake.audience(), "{}/users"

    def send(batch, *rows, last=False, **more):
        body = upload(*rows, session_id=7, batch_seq=batch, last_batch_flag=last, **more)
        return fake.graph("POST", path.format(audience), json=body)

    assert send(1, ROWS[0]).json()["num_received"] == 1
    assert code(send(3, ROWS[1])) == (100, None)
    assert code(send(2, ["", ""], schema=("EMAIL", "PHONE"))) == (100, None)
    assert send(2, ROWS[1]).json() == {
        "audience_id": audience,
        "session_id": "7",
        "num_received": 2,
        "num_invalid_entries": 0,
        "invalid_entry_samples": {},
    }
    assert send(2, ROWS[1]).json()["num_received"] == 3
    assert len(fake.members(audience)) == 2
    clock = fake.sandbox.clock
    clock.set(clock.now() + timedelta(minutes=91))
    late = send(3, ROWS[2], last=True).json()
    assert late["num_received"] == 3
    assert len(fake.members(audience)) == 2


def test_removal_needs_the_same_keys(fake):
    """If this fails, removing by other columns than were added seems to work."""
    audience = fake.audience()
    both = upload([ROWS[0][0], sha("15559876543")], schema=("EMAIL", "PHONE"))
    fake.graph("POST", f"{audience}/users", json=both)
    fake.graph("DELETE", f"{audience}/users", json=upload(ROWS[0]))
    assert len(fake.members(audience)) == 1
    fake.graph("DELETE", f"{audience}/users", json=both)
    assert fake.members(audience) == []


def test_audiences_create_list_read_delete(fake):
    """If this fails, the audience edges differ from Meta's."""
    made = [fake.audience(f"A{n}") for n in range(5)]
    first = fake.graph("GET", f"{ACCOUNT}/customaudiences", params={"fields": "name", "limit": 3})
    page = first.json()
    assert [one["name"] for one in page["data"]] == ["A4", "A3", "A2"]
    assert "next" in page["paging"]
    rest = fake.graph(
        "GET",
        f"{ACCOUNT}/customaudiences",
        params={
            "fields": "name",
            "limit": 3,
            "after": page["paging"]["cursors"]["after"],
        },
    ).json()
    assert [one["id"] for one in rest["data"]] == [made[1], made[0]]
    assert "next" not in rest["paging"]
    assert fake.graph("DELETE", made[0]).json() == {"success": True}
    assert code(fake.graph("GET", made[0])) == (100, 33)
    assert code(fake.graph("GET", made[1], params={"fields": "shoe"})) == (100, None)
    assert code(fake.graph("POST", f"{ACCOUNT}/customaudiences", json={"name": "x"})) == (100, None)


def test_sizes_are_ranges(fake):
    """If this fails, someone comes to rely on a count that Meta never gives."""
    audience = fake.audience()
    bounds = "approximate_count_lower_bound,approximate_count_upper_bound,operation_status"

    def size():
        found = fake.graph("GET", audience, params={"fields": bounds}).json()
        assert found["operation_status"]["code"] == 200
        return found["approximate_count_lower_bound"], found["approximate_count_upper_bound"]

    assert size() == (-1, -1)
    fake.graph("POST", f"{audience}/users", json=upload(*ROWS))
    assert size() == (0, 1000)
    fake.graph("POST", f"{audience}/users", json=upload(*([sha(str(n))] for n in range(1234))))
    assert size() == (1200, 1300)


def test_usage_header_and_limit(fake_with):
    """If this fails, throttling is never exercised."""
    fake = fake_with(calls_per_hour=4)
    audience = fake.audience()
    read = fake.graph("GET", audience)
    usage = json.loads(read.headers["X-Business-Use-Case-Usage"])["100200300"][0]
    assert (usage["type"], usage["call_count"]) == ("custom_audience", 50)
    sent = fake.graph("POST", f"{audience}/users", json=upload(*ROWS))
    assert "X-Business-Use-Case-Usage" not in sent.headers
    fake.graph("GET", audience)
    refused = fake.graph("GET", audience)
    assert code(refused) == (80003, None)
    usage = json.loads(refused.headers["X-Business-Use-Case-Usage"])["100200300"][0]
    assert usage["estimated_time_to_regain_access"] == 60
    clock = fake.sandbox.clock
    clock.set(clock.now() + timedelta(hours=1))
    assert fake.graph("GET", audience).ok


def test_new_audiences_are_unknown_at_first(fake_with):
    """If this fails, the alias error right after creation is never exercised."""
    fake = fake_with(alias_lag=1)
    audience = fake.audience()
    assert code(fake.graph("GET", audience)) == (803, None)
    assert fake.graph("GET", audience).ok


def test_flagged_names_and_terms(fake, fake_with):
    """If this fails, 471 and the terms errors are never exercised."""
    flagged = fake.audience("Cancer patients")
    status = fake.graph("GET", flagged, params={"fields": "operation_status"}).json()
    assert status["operation_status"]["code"] == 471
    assert code(fake.graph("POST", f"{flagged}/users", json=upload(*ROWS))) == (100, 1713230)
    body = {"name": "x", "customer_file_source": "USER_PROVIDED_ONLY"}
    unsigned = fake_with(terms="unsigned").graph("POST", f"{ACCOUNT}/customaudiences", json=body)
    assert code(unsigned) == (200, 1870090)


def test_replace(fake):
    """If this fails, a replacement is not all or nothing, or its wrong orders go unnoticed."""
    audience = fake.audience()
    fake.graph("POST", f"{audience}/users", json=upload(*ROWS[:2]))

    def send(number, batch, *rows, last=False):
        return fake.graph(
            "POST",
            f"{audience}/usersreplace",
            json=upload(
                *rows,
                session_id=number,
                batch_seq=batch,
                last_batch_flag=last,
            ),
        )

    assert code(fake.graph("POST", f"{audience}/usersreplace", json=upload(*ROWS))) == (100, None)
    assert code(send(1, 2, ROWS[2])) == (2650, 1870147)
    assert send(1, 1, ROWS[2]).json()["num_received"] == 1
    assert len(fake.members(audience)) == 2
    assert code(send(2, 1, ROWS[2])) == (2650, 1870145)
    assert code(fake.graph("POST", f"{audience}/users", json=upload(*ROWS))) == (2650, 1870145)
    assert code(send(1, 3, ROWS[1])) == (2650, 1870148)
    assert send(1, 2, ROWS[1], last=True).json()["num_received"] == 2
    assert {row["EMAIL"] for row in fake.members(audience)} == {ROWS[1][0], ROWS[2][0]}
    assert code(send(1, 3, ROWS[0])) == (2650, 1870159)
    send(9, 1, ROWS[0])
    clock = fake.sandbox.clock
    clock.set(clock.now() + timedelta(minutes=91))
    assert code(send(9, 2, ROWS[0], last=True)) == (2650, 1870158)
    assert len(fake.members(audience)) == 2


def test_erasure_across_the_account(fake):
    """If this fails, an erased person stays in some audience."""
    audiences = [fake.audience(f"A{n}") for n in range(2)]
    for audience in audiences:
        fake.graph("POST", f"{audience}/users", json=upload(*ROWS))
    fake.graph("DELETE", f"{ACCOUNT}/usersofanyaudience", json=upload(ROWS[0]))
    assert [len(fake.members(audience)) for audience in audiences] == [2, 2]


def test_every_member_op_is_logged(fake):
    """If this fails, tests cannot count what was written independently of the product."""
    audience = fake.audience()
    for _ in range(2):
        fake.graph("POST", f"{audience}/users", json=upload(*ROWS))
    writes = fake.writes()
    assert [(w["op"], w["changed"]) for w in writes] == [("add", True)] * 3 + [("add", False)] * 3
    assert {w["audience"] for w in writes} == {audience}


def test_unknown_places(fake):
    """If this fails, a wrong path of ours gets an answer here."""
    for method, path in (
        ("GET", f"{ACCOUNT}/shoes"),
        ("GET", "23849182047679999"),
        ("POST", f"{fake.audience()}/shoes"),
    ):
        assert code(fake.graph(method, path)) == (100, 33)
    assert requests.get(f"{fake.url}/__members/1", timeout=20).json() == []


def test_replacements_that_nobody_ends(fake_with):
    """If this fails, a session that broke off blocks its audience for ever, or passes for whole."""
    fake = fake_with(replace_minutes=10)
    audience, clock = fake.audience(), fake.sandbox.clock

    def send(number, batch, last=False):
        session = {"session_id": number, "batch_seq": batch, "last_batch_flag": last}
        return fake.graph("POST", f"{audience}/usersreplace", json=upload(*ROWS, **session))

    def status():
        found = fake.graph("GET", audience, params={"fields": "operation_status"}).json()
        return found["operation_status"]["description"]

    assert send(1, 1).ok
    assert status() == "replace_in_progress"
    clock.set(clock.now() + timedelta(minutes=91))
    assert status() == "replace_error"
    assert [code(send(1, batch)) for batch in (1, 2)] == [(2650, 1870158)] * 2
    assert send(2, 1, last=True).ok
    assert status() == "replace_in_progress"
    assert code(fake.graph("POST", f"{audience}/users", json=upload(*ROWS))) == (2650, 1870145)
    clock.set(clock.now() + timedelta(minutes=11))
    assert status() == "Normal"
    assert code(send(2, 1)) == (2650, 1870159)


def alike(origin, **spec):
    return {
        "name": "x",
        "subtype": "LOOKALIKE",
        "origin_audience_id": origin,
        "lookalike_spec": json.dumps({"ratio": 0.01, "country": "US", **spec}),
    }


def test_lookalikes(fake):
    """If this fails, a lookalike that Meta would not make is made here."""
    audience = fake.audience()
    people = upload(*([sha(str(n))] for n in range(100)))

    def make(body):
        return fake.graph("POST", f"{ACCOUNT}/customaudiences", json=body)

    assert code(make(alike(audience))) == (100, None)
    fake.graph("POST", f"{audience}/users", json=people)
    for wrong in (
        alike("7"),
        alike(audience, ratio=0.21),
        alike(audience, ratio=0.015),
        alike(audience, ratio=None),
        alike(audience, country=None),
        alike(audience, starting_ratio=0.01),
        alike(audience, type="same"),
        {**alike(audience), "lookalike_spec": {"ratio": 0.01, "country": "US"}},
    ):
        assert code(make(wrong)) == (100, None)
    made = make(alike(audience)).json()["id"]
    assert code(make(alike(audience))) == (2654, None)
    assert make(alike(audience, type="reach", ratio=9)).ok
    assert code(fake.graph("POST", f"{made}/users", json=people)) == (100, None)
    bounds = {"fields": "approximate_count_upper_bound,origin_audience_id"}
    assert fake.graph("GET", made, params=bounds).json()["approximate_count_upper_bound"] == -1
    clock = fake.sandbox.clock
    clock.set(clock.now() + timedelta(hours=7))
    assert fake.graph("GET", made, params=bounds).json()["approximate_count_upper_bound"] > 0
    assert code(make(alike(made))) == (100, None)


def test_at_most_five_hundred_of_a_kind(fake):
    """If this fails, an account that is full goes unnoticed."""
    body = {"name": "x", "customer_file_source": "USER_PROVIDED_ONLY"}
    one = fake.audience()
    table = fake.sandbox.store.table("audience")
    table.put({str(10**9 + n): {**table[one], "id": str(10**9 + n)} for n in range(499)})
    assert code(fake.graph("POST", f"{ACCOUNT}/customaudiences", json=body)) == (100, None)


def test_values(fake):
    """If this fails, uploads that forget values, or bring them where none are taken, pass."""
    plain = fake.audience()
    body = {
        "name": "x",
        "customer_file_source": "USER_PROVIDED_ONLY",
        "is_value_based": 1,
    }
    valued = fake.graph("POST", f"{ACCOUNT}/customaudiences", json=body).json()["id"]
    worth = upload([ROWS[0][0], 44.5], [ROWS[1][0], "-1"], schema=("EMAIL", "LOOKALIKE_VALUE"))
    assert code(fake.graph("POST", f"{plain}/users", json=worth)) == (100, None)
    assert code(fake.graph("POST", f"{valued}/users", json=upload(*ROWS))) == (100, None)
    reply = fake.graph("POST", f"{valued}/users", json=worth).json()
    assert (reply["num_received"], reply["num_invalid_entries"]) == (2, 1)
    assert fake.members(valued) == [{"EMAIL": ROWS[0][0], "LOOKALIKE_VALUE": "44.5"}]
    other = upload([ROWS[0][0], 7], schema=("EMAIL", "LOOKALIKE_VALUE"))
    fake.graph("POST", f"{valued}/users", json=other)
    assert fake.members(valued) == [{"EMAIL": ROWS[0][0], "LOOKALIKE_VALUE": "7"}]
    fake.graph("DELETE", f"{valued}/users", json=upload(*ROWS))
    assert fake.members(valued) == []


@pytest.mark.parametrize(
    ("options", "invalid"),
    [
        ([["LDU"], 1, 1000], 0),
        ([["LDU"], 0, 0], 0),
        ([[], "", ""], 0),
        ([["LDU"], "", ""], 1),
        ([["LDU"], "US", "CA"], 1),
        ([["OTHER"], 1, 1000], 1),
        (["LDU", 1, 1000], 1),
    ],
)
def test_data_processing_options(fake, options, invalid):
    """If this fails, an opt-out that Meta does not understand passes here."""
    audience = fake.audience()
    names = [f"DATA_PROCESSING_OPTIONS{end}" for end in ("", "_COUNTRY", "_STATE")]
    body = upload([ROWS[0][0], *options], schema=("EMAIL", *names))
    reply = fake.graph("POST", f"{audience}/users", json=body).json()
    assert reply["num_invalid_entries"] == invalid
