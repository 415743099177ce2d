"""What is read from an org, by REST and by Bulk API 2.0, and when a pull proves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from audiencehub.errors import Incomplete, SkipRow, Stop, Wait
from audiencehub.model import Stream
from audiencehub.sandbox.company.details import PersonDetails
from audiencehub.sandbox.host import serve
from connectors.salesforce.mapping import rows_of
from connectors.salesforce.source import SalesforceSource

from .conftest import build, contact, context_of, small_company

STREAMS = [one.name for one in SalesforceSource.streams]


@pytest.mark.parametrize("name", STREAMS)
def test_bulk_and_rest_give_the_same_rows(org, name):
    """The way a pull travels would change what rules see."""
    rest = org.rows(name, org.pull(name))
    bulk = org.rows(name, org.pull(name, bulk_query_above=0))

    assert rest
    assert sorted(map(repr, rest)) == sorted(map(repr, bulk))


@pytest.mark.parametrize("name", STREAMS)
def test_a_full_pull_is_proven_complete(org, name):
    """Absence could not be told from a page that got lost."""
    pages = org.pull(name)

    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].total == sum(len(page.records) for page in pages)
    assert all(page.full for page in pages)


def test_values_keep_umlauts_newlines_and_emoji(org):
    """A guessed charset or a split on newlines would corrupt names on their way in."""
    for above in (0, 2000):
        rows = org.rows("contact", org.pull("contact", bulk_query_above=above))
        values = {row.source_id: row.values for row in rows if row.table == "contact"}

        assert values[org.id("Contact", "c1")]["title"] == 'Leiter,\n"Einkauf"'
        assert values[org.id("Contact", "c1")]["city"] == "München"
        assert values[org.id("Contact", "c2")]["first_name"] == "Zoë 🌱"


def test_leads_and_contacts_are_people_of_one_table_with_their_kind(org):
    """A tag target for leads could not find its records."""
    rows = [*org.rows("contact", org.pull("contact")), *org.rows("lead", org.pull("lead"))]
    kinds = {row.source_id[:3]: row.values["record_kind"] for row in rows if row.table == "contact"}

    assert kinds == {"003": "contact", "00Q": "lead"}


def test_an_opt_out_denies_and_its_absence_grants_nothing(org):
    """Someone who refused e-mail would be written to, or silence taken for consent."""
    consents = [row for row in org.rows("contact", org.pull("contact")) if row.table == "consent"]
    denied = [row for row in consents if not row.deleted]

    assert [row.source_id for row in denied] == [org.id("Contact", "c2")]
    assert denied[0].values["status"] == "denied"
    assert denied[0].values["channel"] == "email"
    assert not any(row.values.get("status") == "granted" for row in consents)


def test_a_merged_contact_names_its_survivor(org):
    """The loser of a merge would live on as a second person."""
    rows = org.rows("contact", org.pull("contact"))
    loser = next(row for row in rows if row.source_id == org.id("Contact", "c3"))

    assert loser.deleted
    assert loser.merged_into == org.id("Contact", "c1")


def test_a_converted_lead_gives_way_to_its_contact(org):
    """Tags would be sent for ever to a lead that can no longer be written."""
    record = {
        "Id": "00Q000000000001AAA",
        "IsConverted": True,
        "IsDeleted": False,
        "ConvertedContactId": "003000000000001AAA",
        "SystemModstamp": None,
    }
    row = next(rows_of("lead", record, {}))

    assert row.deleted
    assert row.merged_into == "003000000000001AAA"


def test_mapped_custom_fields_arrive(org):
    """The company's own customer number would not join sources."""
    rows = org.rows("contact", org.pull("contact"))

    assert {"N-c1", "N-c2"} == {
        row.values.get("external_id") for row in rows if row.table == "contact" and not row.deleted
    }


def test_activities_point_to_people_and_campaigns_have_names(org):
    """Events would belong to nobody."""
    events = org.rows("activity", org.pull("activity"))
    member = org.rows("campaign_member", org.pull("campaign_member"))[0]

    assert {row.values["contact_ref"] for row in events} == {org.id("Contact", "c1")}
    assert {str(row.values["name"]).lower() for row in events} == {
        "call",
        "email",
        "meeting",
        "task",
        "note",
    }
    assert member.values["campaign"] == "Spring webinar"
    assert member.values["contact_ref"] == org.id("Lead", "l1")


def test_a_record_without_an_id_is_set_aside():
    """One broken record would end the pull of all."""
    with pytest.raises(SkipRow):
        list(rows_of("contact", {"Email": "x@y.example"}, {}))


def test_nothing_new_brings_nothing_but_the_overlap(org):
    """A second pull would read everything again."""
    cursor = org.pull("account")[-1].cursor
    org.sandbox.store.table("Account").put(
        {
            key: {**one, "SystemModstamp": "2026-02-01T08:00:00.000+0000"}
            for key, one in org.sandbox.store.table("Account").items()
        }
    )
    pages = org.pull("account", cursor)

    assert pages[-1].total == 0
    assert not pages[-1].full


def test_a_change_a_deletion_and_a_purge_arrive_incrementally(org):
    """Edits would be missed, or the deleted stay tagged."""
    cursor = org.pull("contact")[-1].cursor
    client = org.tags().client
    client.call("PATCH", f"sobjects/Contact/{org.id('Contact', 'c1')}", json={"Title": "CFO"})
    client.call("DELETE", f"sobjects/Contact/{org.id('Contact', 'c2')}")
    gone = org.id("Contact", "c4")
    org.sandbox.store.table("purged")[gone] = {
        "Id": gone,
        "IsDeleted": True,
        "SystemModstamp": "2026-11-16T09:00:00.000+0000",
    }
    pages = org.pull("contact", cursor)
    rows = {row.source_id: row for row in org.rows("contact", pages) if row.table == "contact"}

    assert rows[org.id("Contact", "c1")].values["title"] == "CFO"
    assert rows[org.id("Contact", "c2")].deleted
    assert rows[gone].deleted
    assert not pages[-1].full


@pytest.mark.fault(12)
def test_deletions_that_are_listed_late_are_asked_for_again(org):
    """Whoever was deleted while the vendor's list lagged would stay tagged for ever."""
    cursor = org.pull("contact")[-1].cursor
    late = {"latestDateCovered": "2026-11-16T07:00:00.000+0000"}
    fault = {"path": "/Contact/deleted/", "set_json": late}
    requests.post(f"{org.url}/__faults", json=[fault], timeout=5)

    after = org.pull("contact", cursor)[-1].cursor

    assert after["Contact.covered"] == "2026-11-16T07:00:00+00:00"
    assert after["Contact"] == cursor["Contact"]


def test_a_day_of_the_company_arrives_incrementally(org):
    """The demo's second day would show nothing, or everything."""
    cursor = org.pull("contact")[-1].cursor
    org.tags().ensure(_target(), [])
    org.clock.next_day()
    people = tuple(
        replace(one, title="CEO", modified_at=org.clock.now()) if one.key == "c1" else one
        for one in org.company.contacts
        if one.key != "c2"
    )
    org.sandbox.advance(org.company, replace(org.company, contacts=people))
    rows = [
        row
        for row in org.rows("contact", org.pull("contact", cursor))
        if row.table == "contact" and row.observed_at.date() == org.clock.now().date()
    ]

    assert {(row.source_id, row.deleted) for row in rows} == {
        (org.id("Contact", "c1"), False),
        (org.id("Contact", "c2"), True),
    }


def test_a_cursor_older_than_the_deletions_listed_reads_everything(org):
    """Deletions of three weeks ago would never be learnt of."""
    cursor = org.pull("contact")[-1].cursor
    org.clock.set(org.clock.now() + timedelta(days=21))

    assert org.pull("contact", cursor)[-1].full


def test_a_quiet_stream_that_is_read_weekly_is_not_read_whole(org):
    """A stream that nobody edits for two weeks would be read whole in every run from then on."""
    cursor = org.pull("deal")[-1].cursor
    for _ in range(3):
        org.clock.set(org.clock.now() + timedelta(days=7))
        last = org.pull("deal", cursor)[-1]
        cursor = last.cursor

        assert not last.full


@pytest.mark.fault(12)
def test_a_stamp_from_the_future_does_not_move_the_cursor_there(org):
    """Everything changed until that date would be skipped."""
    org.sandbox.store.table("Contact").put(
        {
            key: {**one, "SystemModstamp": "2031-01-01T00:00:00.000+0000"}
            for key, one in org.sandbox.store.table("Contact").items()
        }
    )

    assert org.pull("contact")[-1].cursor["Contact"] <= org.clock.now().isoformat()


def test_9000_rows_come_in_bulk_pages_none_lost_none_twice(big):
    """A locator handled wrongly loses or repeats whole pages."""
    pages = big.pull("contact", bulk_page=4000)
    ids = [one["Id"] for page in pages for one in page.records]

    assert [len(page.records) for page in pages] == [4000, 4000, 1003, 0]
    assert len(ids) == len(set(ids)) == pages[-1].total == 9003


def test_9000_rows_come_by_rest_locators_too(big):
    """The pull below the bulk threshold would stop after 2,000 rows."""
    pages = big.pull("contact", bulk_query_above=100_000)

    assert [len(page.records) for page in pages] == [2000, 2000, 2000, 2000, 1003, 0]


@settings(max_examples=5, deadline=None)
@given(stop=st.integers(1, 4))
@pytest.mark.fault(12)
def test_a_pull_resumed_in_the_middle_of_equal_stamps_loses_nothing(big, stop):
    """3,000 records share one stamp: a cursor of the stamp alone drops those after the cut."""
    old = "2026-03-01T00:00:00+00:00"
    cursor = {"Contact": old, "Contact.covered": big.clock.now().isoformat()}
    options = {"bulk_query_above": 100_000}
    first = big.pull("contact", cursor, **options)[:stop]
    rest = big.pull("contact", first[-1].cursor, **options)
    ids = {one["Id"] for page in (*first, *rest) for one in page.records}

    assert len(ids) == 9003
    assert sum(len(page.records) for page in rest) == 9003 - 2000 * stop


@pytest.mark.parametrize(
    "change",
    [
        {"truncate": 60},
        {"content_type": "text/html"},
        {"set_json": {"records": []}},
        {"set_json": {"records": None}},
        {"set_json": {"totalSize": 9}},
        {"set_json": {"nextRecordsUrl": None, "done": True}},
        {"set_json": {"nextRecordsUrl": None}},
        {"set_json": {"totalSize": 0, "records": []}},
    ],
)
def test_a_page_that_cannot_be_the_truth_is_incomplete(org, change):
    """A cut page would look like deletions."""
    org.sandbox.set(page_size=2)
    fault = {"path": "/queryAll", "skip": 1, "times": 9, **change}
    requests.post(f"{org.url}/__faults", json=[fault], timeout=5).raise_for_status()

    with pytest.raises(Incomplete):
        org.pull("contact")


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/results", "truncate": 200},
        {"path": "/results", "content_type": "text/html"},
        {"path": "/jobs/query/75", "set_json": {"numberRecordsProcessed": 99}},
        {"path": "/jobs/query/75", "set_json": {"state": "Failed"}},
        {"path": "/jobs/query/75", "set_json": {"state": "Aborted"}},
    ],
)
def test_bulk_results_that_cannot_be_the_truth_are_incomplete(org, change):
    """JobComplete would be taken for completeness."""
    requests.post(f"{org.url}/__faults", json=[{"times": 2, **change}], timeout=5)

    with pytest.raises(Incomplete):
        org.pull("contact", bulk_query_above=0)


def test_a_bulk_page_shorter_than_its_header_says_is_incomplete(org):
    """A page cut at the end of a line reads like a whole one."""
    page = '"Id","IsDeleted","SystemModstamp"\n"003000000000001AAA","false",""\n'
    requests.post(
        f"{org.url}/__faults",
        timeout=5,
        json=[
            {
                "path": "/results",
                "status": 200,
                "body": page,
                "content_type": "text/csv",
                "headers": {"Sforce-NumberOfRecords": "2", "Sforce-Locator": "null"},
            },
            {"path": "/jobs/query/75", "times": 2, "set_json": {"numberRecordsProcessed": 1}},
        ],
    )

    with pytest.raises(Incomplete, match="header"):
        org.pull("contact", bulk_query_above=0)


@pytest.mark.fault(10)
@pytest.mark.parametrize("records", [0, True, 1.5, "", {}])
def test_records_that_are_no_list_are_incomplete(org, records):
    """They ended the run with a traceback."""
    fault = {"path": "/queryAll", "skip": 1, "set_json": {"records": records}}
    requests.post(f"{org.url}/__faults", json=[fault], timeout=5)

    with pytest.raises(Incomplete):
        org.pull("contact")


@pytest.mark.fault(10)
def test_a_query_that_goes_on_with_nothing_is_given_up(org):
    """A locator that is new each time and leads nowhere would hold the run up for ever."""
    on = {"records": [], "done": False, "nextRecordsUrl": "/services/data/v62.0/query/0r8-1"}
    fault = {"path": "/queryAll", "skip": 1, "set_json": on}
    requests.post(f"{org.url}/__faults", json=[fault], timeout=5)

    with pytest.raises(Incomplete, match="nothing is left"):
        org.pull("contact")


@pytest.mark.fault(13)
def test_a_hidden_field_stops_the_pull_by_its_name(org):
    """A column that field-level security hides would silently empty."""
    org.sandbox.set(hidden=["Contact.HasOptedOutOfEmail"])

    with pytest.raises(Stop, match=r"Contact\.HasOptedOutOfEmail"):
        org.pull("contact")


def test_an_org_without_the_optional_features_is_read(org):
    """A single-currency org could not be read at all."""
    org.sandbox.set(hidden=["Opportunity.CurrencyIsoCode", "Account.YearStarted"])

    assert org.rows("deal", org.pull("deal"))[0].values["amount"] == 9900.5
    assert len(org.rows("account", org.pull("account"))) == 2


@pytest.mark.parametrize("above", [0, 2000])
@pytest.mark.fault(8)
def test_a_session_that_dies_in_the_middle_is_renewed(big, above):
    """A token's end would end the pull: the library refreshes REST calls only, not bulk."""
    source = big.source(bulk_query_above=above * 100, bulk_page=2000)
    pages = source.pull(Stream("contact"), None)
    first = next(pages)
    big.sandbox.store.table("sessions").put(
        {key: {"alive": False} for key in big.sandbox.store.table("sessions")}
    )
    rest = list(pages)

    assert len(first.records) + sum(len(page.records) for page in rest) == 9003
    assert rest[-1].last


def test_the_daily_limit_asks_for_time(org):
    """A used-up allowance would look like a defect, or be hammered."""
    org.sandbox.set(daily_calls=2)

    with pytest.raises(Wait):
        org.pull("contact")


def test_options_choose_streams(org):
    """A stream that nobody wants would cost calls."""
    assert [one.name for one in org.source(streams=["lead"]).available()] == ["lead"]


def test_check_names_the_allowance(org):
    """`doctor` could not say whether access works."""
    assert "calls left" in org.source().check()


def _target():
    from audiencehub.model import Target

    return Target("salesforce", "tag", "contact")


DEPTH = PersonDetails(
    birth_date=date(1980, 2, 29),
    gender="Female",
    buyer_role="BUDGET_HOLDER",
    latitude=48.1,
    longitude=11.6,
    preferred_channel="chat",
)


@pytest.mark.parametrize("above", [0, 2000])
def test_what_the_models_read_comes_from_standard_fields(above):
    """Demographic and geographic rules would find nobody."""
    people = [contact("c9", details=DEPTH), contact("l9", kind="lead", details=DEPTH)]
    company = small_company(*people)
    with serve(build(company)) as url:
        for name in ("contact", "lead"):
            source = SalesforceSource(context_of(url, bulk_query_above=above))
            stream = Stream(name)
            found = {
                row.source_id: row.values
                for page in source.pull(stream, None)
                for record in page.records
                for row in source.rows(stream, record)
                if row.table == "contact"
            }
            values = next(v for v in found.values() if v.get("latitude") is not None)
            assert (values["latitude"], values["longitude"]) == (48.1, 11.6)
            assert values["gender"] == "Female"
            assert values.get("birth_date") == ("1980-02-29" if name == "contact" else None)


def test_custom_fields_are_asked_for_on_contacts_and_leads(org):
    """`custom.<name>` would be unknown of half of the people."""
    custom = {"contact": {"custom_channel": "Preferred_Channel__c"}}
    for name in ("contact", "lead"):
        source = SalesforceSource(replace(context_of(org.url), custom=custom))
        records = [one for page in source.pull(Stream(name), None) for one in page.records]
        live = next(one for one in records if not one["IsDeleted"])
        row = next(iter(source.rows(Stream(name), {**live, "Preferred_Channel__c": "chat"})))
        assert row.values["custom_channel"] == "chat"
    wrong = replace(context_of(org.url), custom={"contact": {"custom_x": "Absent__c"}})
    with pytest.raises(Stop, match="Absent__c"):
        list(SalesforceSource(wrong).pull(Stream("contact"), None))


def test_a_subsidiary_names_its_parent_and_an_extension_is_kept(org):
    """Structure and hierarchy come from nowhere else."""
    row = next(rows_of("account", {"Id": "001x", "ParentId": "001y"}, {}))
    assert (row.values["parent_ref"], row.values["structure"]) == ("001y", "subsidiary")
    alone = next(rows_of("account", {"Id": "001x", "ParentId": None}, {}))
    assert not {"parent_ref", "structure"} & set(alone.values)
    for phone, kept in (
        ("+1 212 555 0123 ext. 7", True),
        ("+1 212 555 0123", False),
        (None, False),
    ):
        row = next(rows_of("contact", {"Id": "003x", "Phone": phone}, {}))
        assert row.values.get("phone_ext") == (phone if kept else None)


def test_a_date_without_a_time_is_noon(org):
    """An instant without a zone is refused by cleaning, and the activity would have no date."""
    task = {"Id": "00Tx", "ActivityDate": "2026-03-01", "Subject": "Call"}
    assert next(rows_of("activity", task, {})).values["at"] == "2026-03-01T12:00:00+00:00"


def test_a_deal_says_how_likely_it_is(org):
    """Pipeline value is amount times probability."""
    values = next(rows_of("deal", {"Id": "006x", "Probability": 75.0, "Type": "New Business"}, {}))
    assert (values.values["probability"], values.values["type"]) == (75.0, "New Business")


@pytest.mark.fault(13)
def test_a_field_that_goes_missing_on_page_two_leaves_the_pull_incomplete(org):
    """Half of the people would lose their title, and the pull would be called whole."""
    org.sandbox.set(page_size=1)
    true = org.pull("contact")
    records = [
        {"attributes": {"type": "Contact"}, **{k: v for k, v in one.items() if k != "Title"}}
        for one in true[1].records
    ]
    fault = {"path": "/query/0r8", "set_json": {"records": records}}
    requests.post(f"{org.url}/__faults", json=[fault], timeout=5)

    with pytest.raises(Incomplete, match="lacks fields"):
        org.pull("contact")


@pytest.mark.fault(13)
@pytest.mark.parametrize("bulk", [0, 2000])
def test_a_field_that_is_dropped_between_runs_stops_the_pull(org, bulk):
    """Its column would be empty, and whoever it made a member would drop out."""
    cursor = org.pull("contact")[-1].cursor
    org.sandbox.set(hidden=["Contact.Title"])

    with pytest.raises(Stop, match=r"Contact\.Title"):
        org.pull("contact", cursor, bulk_query_above=bulk)


@pytest.mark.fault(10)
@pytest.mark.parametrize(
    "record",
    [
        {"id": None, "deletedDate": "2026-11-16T09:00:00.000+0000"},
        {"id": "", "deletedDate": "2026-11-16T09:00:00.000+0000"},
        {"id": "003000000000001AAA", "deletedDate": "yesterday"},
        {"id": "003000000000001AAA", "deletedDate": None},
    ],
)
def test_a_deletion_that_cannot_be_read_is_incomplete(org, record):
    """It would be set aside, and never be asked for again: the person stays tagged for ever."""
    cursor = org.pull("contact")[-1].cursor
    fault = {"path": "/Contact/deleted/", "set_json": {"deletedRecords": [record]}}
    requests.post(f"{org.url}/__faults", json=[fault], timeout=5)

    with pytest.raises(Incomplete, match="deleted records"):
        org.pull("contact", cursor)
