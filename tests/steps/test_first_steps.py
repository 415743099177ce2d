"""Pull, land, normalize and resolve, on real stores."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def whole(*records: dict[str, Any], **page: Any) -> list[dict[str, Any]]:
    return [{"records": list(records), "last": True, "full": True, **page}]


def test_two_systems_one_person(desk, contact):
    """If it fails, the same person in two systems gets two sets of tags."""
    desk.run(
        crm={"contact": whole(contact("1", email=" Ann@X.example ", country="USA"))},
        shop={
            "contact": whole(
                contact("9", email="ann@x.example", first_name="Ann", country="Germany")
            )
        },
    )

    assert desk.rows("SELECT contact_id, email, first_name, country FROM contact") == [
        (0, "ann@x.example", "Ann", "US")
    ]
    assert desk.rows("SELECT source, source_id, id FROM record_map ORDER BY ALL") == [
        ("crm", "1", 0),
        ("shop", "9", 0),
    ]


def test_shared_mailbox_joins_nobody(desk, contact):
    """If it fails, all who write from info@ become one person."""
    desk.run(
        crm={
            "contact": whole(
                contact("1", email="info@x.example"), contact("2", email="info@x.example")
            )
        }
    )

    assert desk.rows("SELECT count(*) FROM contact") == [(2,)]


def test_account_by_business_domain_only(desk, contact):
    """If it fails, everyone with a free mailbox works for one company."""
    account = {"id": "a", "values": {"name": "X", "domain": "https://www.x.example/"}}
    mailbox = {"id": "m", "values": {"name": "Mailbox", "domain": "mailbox.example"}}
    desk.run(
        crm={
            "account": whole(account, mailbox),
            "contact": whole(
                contact("1", email="a@x.example"), contact("2", email="b@mailbox.example")
            ),
        }
    )

    found = desk.rows(
        "SELECT c.email, a.name FROM contact c LEFT JOIN account a USING (account_id) ORDER BY 1"
    )

    assert found == [("a@x.example", "X"), ("b@mailbox.example", None)]


def test_company_by_the_domain_that_its_mail_is_under(desk, contact):
    """If it fails, people of a company are strangers to it because of how their address is written,
    or all who use one provider work for one company."""
    names = ("müller.example", "github.com", "mailinator.com", "onmicrosoft.com", "gmail.com")
    sites = [{"id": one, "values": {"name": one, "domain": one}} for one in names]
    mails = (
        "a@mail.müller.example", "b@XN--mller-kva.example", "c@github.com",
        "d@mailinator.com", "e@acme.onmicrosoft.com", "f@gmail.com",
    )  # fmt: skip
    people = [contact(str(n), email=mail) for n, mail in enumerate(mails)]
    desk.run(crm={"account": whole(*sites), "contact": whole(*people)})

    found = desk.rows(
        "SELECT a.name FROM contact c LEFT JOIN account a USING (account_id) ORDER BY c.email"
    )

    both = "müller.example"
    assert [name for (name,) in found] == [both, both, "github.com", None, None, None]


def test_facts_find_their_person(desk, contact):
    """If it fails, orders and events of known people count for nobody."""
    order = {
        "id": "o1",
        "values": {
            "contact_email": "ANN@x.example",
            "at": "2026-11-02T10:00:00Z",
            "total": "100",
            "currency": "EUR",
        },
    }
    by_number = {
        "id": "o2",
        "values": {
            "contact_external_id": "0042",
            "at": "2026-11-02T10:00:00Z",
            "total": "7.5",
            "currency": "USD",
        },
    }
    stranger = {
        "id": "o3",
        "values": {
            "contact_email": "who@y.example",
            "at": "2026-11-02T10:00:00Z",
            "total": "1",
            "currency": "USD",
        },
    }
    seen = desk.run(
        crm={"contact": whole(contact("1", email="ann@x.example", external_id="0042"))},
        shop={"order": whole(order, by_number, stranger)},
    )

    found = desk.rows(
        'SELECT contact_id, source_id, total, currency FROM "order" ORDER BY source_id'
    )

    assert [(who, key, code) for who, key, _, code in found] == [(0, "o1", "USD"), (0, "o2", "USD")]
    assert found[0][2] != 100, "euros are converted at the day's rate"
    assert seen["resolve"].unlinked == 1


def test_truncated_pull_removes_nothing(desk, contact):
    """If it fails, a cut page makes the hub forget people who still exist."""
    people = [contact(str(n), email=f"p{n}@x.example") for n in range(5)]
    desk.run(crm={"contact": whole(*people)})
    cut = [{"records": people[:2], "full": True}, {"records": [], "incomplete": True}]

    seen = desk.run(full=True, crm={"contact": cut})

    (stream,) = seen["crm"].streams
    assert not stream.complete
    assert "cut" in stream.reason
    assert desk.rows("SELECT count(*) FROM contact") == [(5,)]


def test_empty_full_pull_is_not_believed(desk, contact):
    """If it fails, a source that answers an empty page wipes every segment."""
    desk.run(crm={"contact": whole(contact("1", email="a@x.example"))})

    seen = desk.run(full=True, crm={"contact": whole()})

    assert not seen["crm"].complete
    assert desk.rows("SELECT count(*) FROM contact") == [(1,)]


def test_fewer_than_the_vendor_says(desk, contact):
    """If it fails, a page lost on the way passes for the end of the stream."""
    desk.run(
        crm={"contact": whole(contact("1", email="a@x.example"), contact("2", email="b@x.example"))}
    )

    seen = desk.run(full=True, crm={"contact": whole(contact("1", email="a@x.example"), total=2)})

    assert "says 2 records and sent 1" in seen["crm"].streams[0].reason
    assert desk.rows("SELECT count(*) FROM contact") == [(2,)]


def test_complete_full_pull_proves_absence(desk, contact):
    """If it fails, people deleted at the source stay in every segment for ever."""
    both = (contact("1", email="a@x.example"), contact("2", email="b@x.example"))
    desk.run(crm={"contact": whole(*both)})

    desk.run(full=True, crm={"contact": whole(both[0], total=1)})

    assert desk.rows("SELECT email FROM contact") == [("a@x.example",)]


def test_tombstone_and_merge(desk, contact):
    """If it fails, a record merged in the CRM keeps a person of its own."""
    desk.run(
        crm={"contact": whole(contact("1", email="a@x.example"), contact("2", email="b@x.example"))}
    )
    gone = [{"records": [contact("2", deleted=True, merged_into="1")], "last": True}]

    desk.run(crm={"contact": gone})

    assert desk.rows("SELECT contact_id, email FROM contact") == [(0, "a@x.example")]


def test_late_older_version_does_not_win(desk, contact):
    """If it fails, a page that arrives late turns a record back in time."""
    new = {**contact("1", email="a@x.example", city="New"), "at": "2026-11-05T00:00:00+00:00"}
    old = {**contact("1", email="a@x.example", city="Old"), "at": "2026-11-04T00:00:00+00:00"}
    desk.run(crm={"contact": [{"records": [new], "last": True}]})

    desk.run(crm={"contact": [{"records": [old], "last": True}]})

    assert desk.rows("SELECT city FROM contact") == [("New",)]


def test_nothing_vanishes(desk, contact):
    """If it fails, a record that cannot be read disappears without a trace."""
    desk.run(
        crm={
            "contact": whole(
                contact("1", email="a@x.example"),
                contact("2", skip="no_key"),
                {"no": "id"},
                contact("4", email="not an address"),
            )
        }
    )

    waiting = desk.ledger.quarantine.list()

    assert [one.code for one in waiting] == ["no_key", "malformed"]
    assert desk.rows("SELECT count(*) FROM source_contact") == [(2,)]
    assert desk.rows("SELECT field, raw, reason FROM uncleaned") == [
        ("email", "not an address", "not_an_email")
    ]


def test_a_crash_before_the_manifest_leaves_no_trace(desk, contact, tmp_path):
    """If it fails, pages of a run that died count although its cursor never moved."""
    stray = tmp_path / "home" / "sandbox" / "landing" / "crm" / "contact" / "stray.jsonl.gz"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(gzip.compress(json.dumps(contact("66", email="z@x.example")).encode()))

    desk.run(crm={"contact": whole(contact("1", email="a@x.example"))})

    assert not stray.exists()
    assert desk.rows("SELECT email FROM contact") == [("a@x.example",)]


def test_ids_outlive_the_warehouse(desk, contact, tmp_path):
    """If it fails, a rebuilt warehouse gives people new numbers and every tag moves."""
    people = [contact(str(n), email=f"p{n}@x.example") for n in range(20)]
    desk.run(crm={"contact": whole(*people)})
    before = desk.rows("SELECT contact_id, email FROM contact ORDER BY 1")
    desk.close()
    for path in (tmp_path / "home" / "sandbox").glob("hub.duckdb*"):
        path.unlink()
    desk.reopen()

    desk.run()

    assert desk.rows("SELECT contact_id, email FROM contact ORDER BY 1") == before


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=40),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.dictionaries(
    st.sampled_from(
        ["email", "phone", "country", "state", "city", "birth_date", "created_at", "is_test"]
    ),
    HOSTILE, max_size=6,
))  # fmt: skip
def test_hostile_values_never_stop_the_run(desk, contact, values):
    """If it fails, one malicious record in a CRM stops everyone's sync."""
    seen = desk.run(
        full=True,
        crm={"contact": whole(contact("1", **values), contact("2", email="ok@x.example"))},
    )

    assert seen["normalize"].rows["contact"] + seen["normalize"].quarantined >= 1
    assert desk.rows("SELECT count(*) FROM contact WHERE email = 'ok@x.example'") == [(1,)]


def test_spool_of_a_dead_run_is_swept(desk, contact, tmp_path: Path):
    """If it fails, half-read pages of a killed run fill the disk."""
    old = tmp_path / "home" / "sandbox" / "landing" / ".spool" / "dead" / "crm"
    old.mkdir(parents=True)
    (old / "contact.jsonl.gz").write_bytes(b"half")

    desk.run(crm={"contact": whole(contact("1", email="a@x.example"))})

    assert not old.exists()
