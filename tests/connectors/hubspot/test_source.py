"""The HubSpot source against its fake, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from audiencehub.errors import Incomplete, Stop, Wait
from audiencehub.sandbox.clock import START
from audiencehub.sandbox.company.details import AccountDetails, PersonDetails
from audiencehub.sandbox.company.records import ConsentEntry
from connectors.hubspot.options import Options
from connectors.hubspot.sandbox.seed import record_id
from connectors.hubspot.source import HubSpotSource

from .conftest import STREAMS, company, ids, pull, rows

VERSIONS = ["v3", "2026-03", "2026-09"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_whole_pull_says_everything_in_canonical_words(open_portal, version):
    """Without it a contact loses its account, its names or its stage on the way in."""
    portal = open_portal(company())
    source = portal.source(version=version)

    pages = pull(source, "contact")

    assert pages[-1].last and all(page.full for page in pages) and pages[-1].total == 2
    found = {row.source_id: row for row in rows(source, "contact", pages) if row.table == "contact"}
    alfred = found[record_id("c000001")]
    assert alfred.values["first_name"] == "Ælfrēd" and alfred.values["last_name"] == "Ó Briain 李"
    assert alfred.values["lifecycle_stage"] == "mql" and alfred.values["title"] == "CFO"
    assert alfred.values["account_ref"] == record_id("a000002")
    assert alfred.observed_at is not None and alfred.observed_at.hour == 8


def test_companies_deals_and_meetings_point_to_each_other(open_portal):
    """Account rules read deals and activity through these references."""
    portal = open_portal(company())
    source = portal.source()

    (account,) = rows(source, "account", pull(source, "account"))
    (deal,) = rows(source, "deal", pull(source, "deal"))
    (event,) = rows(source, "activity", pull(source, "activity"))

    assert account.values["name"] == "Zürcher Käse" and account.values["domain"] == "kaese.example"
    assert deal.values["account_ref"] == account.source_id
    assert deal.values["contact_ref"] == record_id("c000001")
    assert (deal.values["is_won"], deal.values["currency"]) == ("true", "CHF")
    assert event.values["name"] == "meeting" and event.values["channel"] == "sales"
    assert event.values["contact_ref"] == record_id("c000001")


def test_a_merged_contact_is_a_tombstone_that_names_the_survivor(open_portal):
    """Without it the loser of a merge stays a person of its own for ever."""
    portal = open_portal(company())
    source = portal.source()

    found = rows(source, "contact", pull(source, "contact"))

    (loser,) = [row for row in found if row.source_id == record_id("c000003")]
    assert loser.deleted and loser.merged_into == record_id("c000001")


def test_consent_comes_from_subscriptions_and_the_opt_out_wins(open_portal):
    """A person who opted out, or never said a word, must not count as willing."""
    said = ConsentEntry("alfred@kaese.example", "marketing", "email", "granted", START)
    portal = open_portal(company(consents=(said, replace(said, email="out@kaese.example"))))
    portal.contacts(1, first=777)
    source = portal.source()

    found = rows(source, "contact", pull(source, "contact"))

    consent = {r.values["contact_ref"]: r for r in found if r.table == "consent"}
    granted, denied = consent[record_id("c000001")], consent[record_id("c000002")]
    assert granted.values["status"] == "granted" and "1001" in granted.values["proof"]
    assert denied.values["status"] == "denied" and denied.values["channel"] == "email"
    assert consent["777"].deleted


def test_without_subscriptions_an_opt_out_still_denies_and_nobody_is_granted(open_portal):
    """Turning the extra calls off may only narrow consent."""
    said = ConsentEntry("alfred@kaese.example", "marketing", "email", "granted", START)
    portal = open_portal(company(consents=(said,)))
    source = portal.source(subscriptions=False)

    found = [r for r in rows(source, "contact", pull(source, "contact")) if r.table == "consent"]

    assert sorted(r.values.get("status", "") for r in found) == ["", "denied"]


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(live=st.integers(0, 420), binned=st.integers(0, 130))
def test_paging_loses_nothing(open_portal, live, binned):
    """Whatever the sizes, every live contact comes once and every archived one as a tombstone."""
    portal = open_portal()
    portal.contacts(live + binned)
    for number in range(live + 1, live + binned + 1):
        portal.sandbox.records.archive("contacts", str(number))

    pages = pull(portal.source(subscriptions=False), "contact")

    assert sorted(ids(pages), key=int) == [str(n) for n in range(1, live + 1)]
    assert sum(len(page.records) for page in pages) == live + binned
    assert pages[-1].last and pages[-1].cursor and pages[-1].total == live


@pytest.mark.verify
@pytest.mark.parametrize("order", ["text", "numeric"])
@pytest.mark.fault(12)
def test_changes_past_the_search_wall_arrive_once_each(open_portal, order):
    """25,000 changes, 12,000 of them in one millisecond: the wall at 10,000 hides none."""
    portal = open_portal(id_order=order, strict_search=True)
    portal.contacts(6_500, START - timedelta(minutes=50), first=95_000)
    portal.contacts(12_000, START - timedelta(minutes=30), first=1)
    records = portal.sandbox.records
    spread = [
        records.make(str(n), {}, START, START - timedelta(minutes=20, milliseconds=-(n % 900)))
        for n in range(200_000, 206_500)
    ]
    records.put("contacts", spread)
    source = portal.source(subscriptions=False)
    source._enriched = lambda kind, found: found  # links are read elsewhere; 250 calls less

    pages = pull(source, "contact", {"since": (START - timedelta(hours=1)).isoformat()})

    assert len(set(ids(pages))) == 25_000 == len(records.table("contacts"))
    assert len(ids(pages)) - 25_000 <= 10_000  # one millisecond may be read a second time
    assert pages[-1].last and pages[-1].cursor


def test_short_search_pages_are_followed_to_the_end(open_portal):
    """A page with fewer rows than asked for is not the last one while it names a next."""
    portal = open_portal(short_pages=True)
    portal.contacts(730, START - timedelta(minutes=10))

    pages = pull(portal.source(subscriptions=False), "contact", {"since": START.isoformat()})

    assert len(set(ids(pages))) == 730


def test_a_row_that_slips_away_while_paging_hides_no_other(open_portal, monkeypatch):
    """A contact changed during the pull shifts the offsets; its neighbour must still come."""
    portal = open_portal()
    records = portal.sandbox.records
    records.put(
        "contacts",
        [
            records.make(str(n), {}, START, START - timedelta(minutes=50) + timedelta(seconds=n))
            for n in range(1, 1001)
        ],
    )
    source = portal.source(subscriptions=False, overlap_minutes=0)
    pages = source.pull(STREAMS["contact"], {"since": (START - timedelta(hours=1)).isoformat()})
    seen = [next(pages)]
    portal.sandbox.clock.set(START + timedelta(minutes=1))
    records.change("contacts", records.table("contacts")["5"], {"city": "Oslo"})
    seen += list(pages)

    assert {str(n) for n in range(1, 1001)} <= set(ids(seen))


def test_a_second_pull_adds_only_the_overlap(open_portal):
    """A cursor that re-reads everything would make every sync cost a full one."""
    portal = open_portal()
    portal.contacts(150, START - timedelta(days=3))
    recent = portal.contacts(4, START - timedelta(minutes=20), first=1_000)
    source = portal.source()
    first = pull(source, "contact")

    second = pull(source, "contact", first[-1].cursor)
    third = pull(source, "contact", second[-1].cursor)

    assert ids(second) == ids(third) == recent
    assert not second[-1].full and second[-1].cursor == first[-1].cursor


@pytest.mark.fault(12)
def test_a_change_that_the_index_shows_late_is_read_by_a_later_pull(open_portal):
    """Without the overlap a change made while the index lags is lost for good."""
    portal = open_portal(index_lag_ms=5 * 60_000)
    portal.contacts(3, START - timedelta(days=2))
    cursor = pull(portal.source(), "contact")[-1].cursor
    portal.sandbox.records.change(
        "contacts", portal.sandbox.records.table("contacts")["2"], {"city": "Łódź"}
    )

    early = pull(portal.source(), "contact", cursor)
    portal.sandbox.clock.set(START + timedelta(minutes=10))
    late = pull(portal.source(), "contact", early[-1].cursor)

    assert ids(early) == [] and ids(late) == ["2"]


def test_archived_since_the_cursor_comes_as_a_tombstone(open_portal):
    """Search never returns archived rows: only the sweep sees them."""
    portal = open_portal()
    portal.contacts(5, START - timedelta(days=2))
    cursor = pull(portal.source(), "contact")[-1].cursor
    portal.sandbox.records.archive("contacts", "4")

    source = portal.source()
    found = rows(source, "contact", pull(source, "contact", cursor))

    assert [(row.table, row.source_id, row.deleted) for row in found] == [("contact", "4", True)]


@pytest.mark.parametrize(
    "fault",
    [
        {"truncate": 200},
        {"cut": True, "times": 20},
        {"content_type": "text/html"},
        {"status": 200, "body": "<html>sign in</html>"},
        {"set_json": {"results": None}},
        {"set_json": {"results": []}},
        {"set_json": {"results": [], "paging": None}},
        {"set_json": {"results": [{"id": None, "properties": {}}]}},
        {"set_json": {"paging": {"next": {"after": "100"}}}, "times": 9},
    ],
    ids=str,
)
def test_a_page_that_is_cut_empty_or_no_json_leaves_the_pull_incomplete(open_portal, fault):
    """Otherwise absence would be taken for deletion and people lose their tags."""
    portal = open_portal()
    portal.contacts(250)
    portal.fault(path="/objects/2026-03/contacts", method="GET", skip=1, **{"times": 1, **fault})

    with pytest.raises(Incomplete):
        pull(portal.source(subscriptions=False), "contact")


def test_an_empty_list_where_search_counts_records_is_incomplete(open_portal):
    """The classic silent loss: 200, well formed, and nothing in it."""
    portal = open_portal()
    portal.contacts(30)
    portal.fault(path="objects/2026-03/contacts", set_json={"results": [], "paging": None}, skip=1)

    with pytest.raises(Incomplete, match="fewer records"):
        pull(portal.source(), "contact")


@pytest.mark.parametrize("body", [{"results": [], "total": 40, "paging": None}, {"total": "many"}])
def test_a_search_that_ends_before_its_own_total_is_incomplete(open_portal, body):
    """An incremental pull that is cut must not move the cursor."""
    portal = open_portal()
    portal.contacts(40, START - timedelta(minutes=5))
    portal.fault(path="contacts/search", set_json=body)

    with pytest.raises(Incomplete):
        pull(portal.source(), "contact", {"since": START.isoformat()})


@pytest.mark.fault(10)
@pytest.mark.parametrize("results", [[], [{"subscriberIdString": "x@y.example", "statuses": []}]])
def test_silence_about_a_subscription_is_no_withdrawn_consent(open_portal, results):
    """Consent would go, and with it the person from every list: no guard holds such a removal."""
    portal = open_portal(company())
    portal.fault(path="statuses/batch/read", set_json={"results": results})

    with pytest.raises(Incomplete, match="every address"):
        pull(portal.source(), "contact")


@pytest.mark.fault(10)
def test_a_list_that_never_ends_is_given_up(open_portal):
    """A cursor that is new each time and leads nowhere would hold the run up for ever."""
    portal = open_portal()
    portal.contacts(30)
    for number in range(40):
        body = {"results": [], "paging": {"next": {"after": str(number + 1)}}}
        portal.fault(path="objects/2026-03/contacts", method="GET", set_json=body)

    with pytest.raises(Incomplete, match="without records"):
        pull(portal.source(subscriptions=False), "contact")


@pytest.mark.fault(10)
def test_a_search_that_says_archived_removes_nobody(open_portal):
    """Search never gives archived records: believed, the word would be the person's removal."""
    portal = open_portal()
    portal.contacts(1, START - timedelta(minutes=5))
    asked = [*portal.source().mapper.properties("contacts"), "lastmodifieddate"]
    live = {"id": "1", "properties": dict.fromkeys(asked, ""), "archived": True}
    portal.fault(path="contacts/search", set_json={"results": [live], "total": 1})

    with pytest.raises(Incomplete, match="archived"):
        pull(portal.source(), "contact", {"since": START.isoformat()})


@pytest.mark.fault(10)
@pytest.mark.parametrize("after", ["0", "soon", "-1"])
def test_a_search_cursor_that_leads_nowhere_is_incomplete(open_portal, after):
    """It would be followed for ever, or end the run with a traceback."""
    portal = open_portal()
    portal.contacts(40, START - timedelta(minutes=5))
    portal.fault(path="contacts/search", set_json={"paging": {"next": {"after": after}}}, times=9)

    with pytest.raises(Incomplete, match="cursor"):
        pull(portal.source(), "contact", {"since": START.isoformat()})


def test_associations_that_do_not_account_for_every_contact_are_incomplete(open_portal):
    """A lost link would take a contact out of every account segment."""
    portal = open_portal(company())
    portal.fault(path="associations", set_json={"results": []})

    with pytest.raises(Incomplete):
        pull(portal.source(), "contact")


def test_more_properties_than_an_address_holds_go_through_post(open_portal):
    """HubSpot answers 414 to a long address."""
    portal = open_portal(company())
    table = portal.sandbox.records.properties("contacts")
    names = [f"custom_property_with_a_long_name_{n:04d}" for n in range(400)]
    table.put({name: {**table["city"], "name": name} for name in names})
    source = portal.source()
    source.mapper.fields["contact"] |= dict(zip(names, names, strict=True))

    found = rows(source, "contact", pull(source, "contact"))

    contacts = [row for row in found if row.table == "contact" and row.values]
    assert {row.values["first_name"] for row in contacts} == {"Ælfrēd"}


def test_a_mapped_property_is_read_and_a_misspelt_one_stops(open_portal):
    """HubSpot leaves an unknown property out in silence; every contact would lose the field."""
    portal = open_portal(company())
    good = portal.source(fields={"contact": {"title": "email"}})

    contact = next(r for r in rows(good, "contact", pull(good, "contact")) if not r.deleted)

    assert contact.values["title"] == contact.values["email"]
    with pytest.raises(Stop, match="jobtitel"):
        pull(portal.source(fields={"contact": {"title": "jobtitel"}}), "contact")


def test_options_refuse_what_is_no_option():
    """A misspelt option that is silently ignored is a setting that does not hold."""
    for wrong in (
        {"verison": "v3"},
        {"version": "v4"},
        {"portal_timezone": "Mars/Olympus"},
        {"fields": {"contact": {"tittle": "jobtitle"}}},
        {"token": "written-out"},
    ):
        with pytest.raises(ValidationError):
            Options(**wrong)


def test_a_pull_that_breaks_goes_on_from_its_last_page(open_portal):
    """A portal of a million changes must not begin anew after every hiccup, nor skip a row."""
    portal = open_portal()
    records = portal.sandbox.records
    start = START - timedelta(hours=30)
    records.put(
        "contacts",
        [
            records.make(str(n), {}, start, start + timedelta(seconds=n // 3))
            for n in range(1, 1001)
        ],
    )
    portal.fault(path="contacts/search", skip=3, truncate=20)
    first = []
    with pytest.raises(Incomplete):
        for page in portal.source(subscriptions=False).pull(
            STREAMS["contact"], {"since": start.isoformat()}
        ):
            first.append(page)

    rest = pull(portal.source(subscriptions=False), "contact", first[-1].cursor)

    assert {str(n) for n in range(1, 1001)} == set(ids(first)) | set(ids(rest))
    assert len(ids(rest)) < 1_000


@pytest.mark.fault(3)
def test_a_storm_of_429_is_waited_out_by_the_windows_own_clock(portal):
    """The pull must rest as long as it was told, and then go on without losing a page."""
    portal.contacts(120)
    body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
    portal.fault(path="contacts", method="GET", status=429, times=2, body=body)
    portal.fault(path="contacts", method="GET", status=429, headers={"Retry-After": "7"}, body=body)

    pages = pull(portal.source(subscriptions=False), "contact")

    assert len(ids(pages)) == 120
    assert sum(portal.patience.slept) == pytest.approx(27, abs=0.5)


def test_the_daily_limit_asks_to_wait_until_midnight_of_the_portal(open_portal):
    """Retrying before midnight would only burn calls; the run ends and says when to go on."""
    portal = open_portal(timezone="Europe/Berlin")
    portal.contacts(3)
    body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "DAILY"}
    portal.fault(path="/crm/", status=429, body=body)

    with pytest.raises(Wait) as caught:
        pull(portal.source(), "contact")

    assert caught.value.seconds == pytest.approx(14 * 3600, abs=1)  # 09:00 UTC is 10:00 in Berlin


@pytest.mark.parametrize("broken", ["token", "scope"])
@pytest.mark.fault(8)
def test_bad_credentials_stop_with_one_instruction(open_portal, broken):
    """A wrong key must end in an instruction, not in a row of retries."""
    portal = open_portal(missing_scopes=["crm.objects.contacts.read"] if broken == "scope" else [])
    portal.token = "wrong-password" if broken == "token" else portal.token

    with pytest.raises(Stop) as caught:
        pull(portal.source(), "contact")

    assert caught.value.hint and "wrong-password" not in str(caught.value)
    assert portal.patience.slept == []


def test_oauth_gets_its_access_token_from_the_refresh_token(open_portal):
    """Public apps have no fixed token; each version of the token path must answer."""
    portal = open_portal(company())

    for version in VERSIONS:
        source = portal.source(auth="oauth", version=version)
        assert len(ids(pull(source, "deal"))) == 1


def test_check_names_the_portal(open_portal):
    """`doctor` shows which account a key belongs to."""
    assert "1234567" in open_portal(company()).source().check()


def test_what_the_models_read_comes_along(open_portal):
    """Demographic, geographic and firmographic rules would find nobody."""
    plain = company()
    depth = PersonDetails(
        birth_date=date(1980, 2, 29),
        gender="Female",
        education="Master",
        family_status="Married",
        buyer_role="CHAMPION",
        timezone="America/New_York",
        preferred_channel="chat",
    )
    person = replace(plain.contacts[0], details=depth, phone="+1 212 555 0123 ext. 7")
    parent = plain.accounts[0]
    child = replace(parent, key="a000003", parent=parent.key)
    ranges = AccountDetails(employee_range="51-200", revenue_range="$1M-$10M", postal_code="8001")
    deal = replace(plain.deals[0], probability=75, kind="new", pipeline="renewals")
    portal = open_portal(
        replace(
            plain,
            contacts=(person,),
            accounts=(replace(parent, details=ranges), child),
            deals=(deal,),
        )
    )
    custom = {"contact": {"custom_channel": "preferred_channel"}}
    source = HubSpotSource(replace(portal.context(), custom=custom), portal.patience)

    said = next(r for r in rows(source, "contact", pull(source, "contact"))).values
    accounts = {r.source_id: r.values for r in rows(source, "account", pull(source, "account"))}
    sold = rows(source, "deal", pull(source, "deal"))[0].values

    names = ("birth_date", "gender", "education", "family_status", "buyer_role", "custom_channel")
    assert [said[name] for name in names] == [
        "1980-02-29",
        "Female",
        "Master",
        "Married",
        "CHAMPION",
        "chat",
    ]
    assert said["timezone"] == "america_slash_new_york"
    assert said["phone_ext"] == person.phone
    above, below = accounts[record_id(parent.key)], accounts[record_id(child.key)]
    assert (above["structure"], above.get("parent_ref")) == ("parent", None)
    assert (below["structure"], below["parent_ref"]) == ("subsidiary", record_id(parent.key))
    assert [above[n] for n in ("employee_range", "revenue_range", "postal_code")] == [
        "51-200",
        "$1M-$10M",
        "8001",
    ]
    assert [sold[name] for name in ("probability", "type", "pipeline")] == [
        75.0,
        "new_business",
        "renewals",
    ]


def test_of_several_buying_roles_the_weightiest_counts(portal):
    """A rule asks for one role; a decision maker who is also an end user is a decision maker."""
    for ticked, role in (
        ("END_USER;DECISION_MAKER", "DECISION_MAKER"),
        ("OTHER", "OTHER"),
        ("Sponsor of sorts", "Sponsor of sorts"),
        (None, None),
    ):
        record = {"id": "1", "properties": {"hs_buying_role": ticked}}
        assert (
            next(iter(portal.source().rows(STREAMS["contact"], record))).values["buyer_role"]
            == role
        )


def test_a_custom_property_that_is_not_there_stops_the_pull(portal):
    """HubSpot leaves unknown properties out without a word: the field would be blank for ever."""
    context = replace(portal.context(), custom={"account": {"custom_x": "no_such_thing"}})
    with pytest.raises(Stop, match="no_such_thing"):
        pull(HubSpotSource(context, portal.patience), "account")


@pytest.mark.fault(13)
@pytest.mark.parametrize("whole", [True, False])
def test_a_property_that_is_dropped_between_runs_leaves_the_pull_incomplete(open_portal, whole):
    """HubSpot leaves it out without a word, and whoever it made a member would drop out."""
    portal = open_portal(company())
    cursor = pull(portal.source(), "contact")[-1].cursor
    portal.sandbox.records.properties("contacts").pop("jobtitle")
    source = portal.source()
    source.remembered = cursor

    with pytest.raises(Incomplete, match="no longer have the property jobtitle"):
        pull(source, "contact", None if whole else cursor)

    mapped = portal.source(fields={"contact": {"title": "lifecyclestage"}})
    mapped.remembered = cursor
    assert pull(mapped, "contact")[-1].last, "named otherwise, it is read again"


@pytest.mark.fault(13)
def test_a_property_that_is_dropped_on_page_two_leaves_the_pull_incomplete(open_portal):
    """Half of the people would have it and half would not, and the pull would be called whole."""
    portal = open_portal()
    portal.contacts(250)
    page = {"id": "7", "properties": {"email": "a@acme.example"}, "archived": False}
    on = {"results": [page], "paging": None}
    portal.fault(path="objects/2026-03/contacts", method="GET", skip=1, set_json=on)

    with pytest.raises(Incomplete, match="without its properties"):
        pull(portal.source(subscriptions=False), "contact")


@pytest.mark.fault(13)
def test_a_new_property_changes_nothing(open_portal):
    """A field that somebody adds in the CRM must not hold anything up."""
    portal = open_portal(company())
    cursor = pull(portal.source(), "contact")[-1].cursor
    known = portal.sandbox.records.properties("contacts")
    known["favourite_colour"] = {**known["jobtitle"], "name": "favourite_colour"}
    source = portal.source()
    source.remembered = cursor

    assert pull(source, "contact")[-1].last
