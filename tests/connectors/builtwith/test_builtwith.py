"""BuiltWith against its fake: jobs, limits, lost answers, and the rows they become."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import requests

from audiencehub.connector import Context
from audiencehub.errors import Incomplete, SkipRow, Stop, Wait
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.company.records import Company, Technology
from audiencehub.sandbox.host import serve
from audiencehub.sandbox.store import Store
from connectors.builtwith import SPEC
from connectors.builtwith.sandbox import BuiltWithSandbox
from connectors.builtwith.source import BuiltWithEnricher

DAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
FIRST, LAST = datetime(2024, 1, 2, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
DOMAINS = [f"company-{n}.example" for n in range(40)]


class Waiting:
    """A clock that only counts."""

    def __init__(self):
        self.seconds, self.slept = 0.0, []

    def monotonic(self):
        return self.seconds

    def now(self):
        return DAY

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture
def sandbox():
    store = Store()
    fake = BuiltWithSandbox(store, SandboxClock(store))
    technologies = [
        Technology(d, "Google Analytics 4", "Web Analytics", FIRST, LAST, True) for d in DOMAINS
    ]
    technologies.append(
        Technology(DOMAINS[0], "HubSpot", "Marketing Automation", FIRST, LAST, False)
    )
    fake.seed(Company("Acme Analytics", 0, DAY, technologies=tuple(technologies)))
    return fake


@pytest.fixture
def url(sandbox):
    with serve(sandbox) as address:
        yield address


def enricher(url, clock=None, token="sandbox-token", **options):
    context = Context("builtwith", options, lambda _: token, DAY, url)
    return BuiltWithEnricher(context, clock or Waiting())


def faults(url, *entries):
    requests.post(f"{url}/__faults", json=list(entries), timeout=5).raise_for_status()


def paths(url):
    return [one["path"] for one in requests.get(f"{url}/__requests", timeout=5).json()]


def test_a_job_is_submitted_awaited_and_downloaded_once(url):
    """A result can be fetched once only; a poll without pauses uses up the rate."""
    clock = Waiting()

    pages = list(enricher(url, clock).enrich(DOMAINS))

    assert [len(page.records) for page in pages] == [40]
    assert pages[-1].last
    job = "/v22/domain/bulk/job-000001"
    assert paths(url) == ["/v22/domain/bulk", job, job, job, f"{job}/result"]
    assert sum(one >= 0.2 for one in clock.slept) == 2


def test_many_domains_become_several_jobs_and_one_last_page(url):
    """A batch that is left out looks like companies without technologies."""
    pages = list(enricher(url, domains_per_job=15).enrich(DOMAINS + DOMAINS[:3]))

    assert [len(page.records) for page in pages] == [15, 15, 10]
    assert [page.last for page in pages] == [False, False, True]


def test_a_small_batch_is_answered_at_once_and_unknown_domains_yield_none(url):
    """BuiltWith answers small batches without a job."""
    pages = list(enricher(url).enrich([DOMAINS[0], "unknown.example"]))

    assert [record["Lookup"] for record in pages[0].records] == [DOMAINS[0]]
    assert list(enricher(url).enrich([]))[-1].last


def test_rows_say_the_answer_in_canonical_words(url):
    """Rules read slugs and UTC instants."""
    source = enricher(url)
    record = next(iter(source.enrich(DOMAINS[:1]))).records[0]

    rows = {row.source_id: row for row in source.rows(source.stream, record)}

    row = rows[f"{DOMAINS[0]}|google-analytics-4"]
    assert row.table == "technology_install"
    assert row.values == {
        "account_domain": DOMAINS[0],
        "technology": "google-analytics-4",
        "category": "web_analytics",
        "first_detected_at": FIRST.isoformat(),
        "last_detected_at": LAST.isoformat(),
        "is_live": True,
    }
    assert rows[f"{DOMAINS[0]}|hubspot"].values["is_live"] is False


def test_a_technology_on_several_paths_is_one_row_with_the_widest_span():
    """One install counted twice; or last year's subdomain ending this year's use."""

    def seen(first, last, live):
        return {
            "Technologies": [
                {
                    "Name": "HubSpot",
                    "Tag": "crm",
                    "FirstDetected": first,
                    "LastDetected": last,
                    "Live": live,
                }
            ]
        }

    record = {
        "Lookup": "Acme.example",
        "Paths": [seen(2000, 9000, False), seen(1000, 3000, True), {}],
    }

    (row,) = enricher(None).rows(BuiltWithEnricher.stream, record)

    assert row.source_id == "acme.example|hubspot"
    assert row.values["first_detected_at"] == "1970-01-01T00:00:01+00:00"
    assert row.values["last_detected_at"] == "1970-01-01T00:00:09+00:00"
    assert row.values["is_live"] is True
    assert row.values["category"] == "crm"


def test_an_answer_without_a_domain_is_set_aside():
    """It cannot be given to any company."""
    with pytest.raises(SkipRow):
        enricher(None).rows(BuiltWithEnricher.stream, {"Paths": []})


@pytest.mark.parametrize("odd", [None, 0, -5, "2024", True, 10**30])
def test_odd_times_are_unknown_and_break_nothing(odd):
    """Zero is no date in 1970."""
    record = {
        "Lookup": "a.example",
        "Paths": [{"Technologies": [{"Name": "X", "FirstDetected": odd}]}],
    }

    (row,) = enricher(None).rows(BuiltWithEnricher.stream, record)

    assert row.values["first_detected_at"] is None


def test_the_wait_in_the_body_of_a_429_is_obeyed(url):
    """BuiltWith sends no Retry-After; who ignores the body is blocked."""
    faults(url, {"path": "/v22/domain/bulk", "status": 429, "body": {"retryAfterSeconds": 3}})
    clock = Waiting()

    list(enricher(url, clock).enrich(DOMAINS[:1]))

    assert 3.0 in clock.slept


def test_a_wrong_key_stops(url):
    """One instruction, no retry."""
    source = enricher(url, token="wrong-token")

    for act in (source.check, lambda: list(source.enrich(DOMAINS[:1]))):
        with pytest.raises(Stop):
            act()
    assert len(paths(url)) == 2


def test_check_tells_the_credits(url):
    """Each match costs money."""
    list(enricher(url).enrich(DOMAINS))

    assert "199,960 credits" in enricher(url).check()


@pytest.mark.parametrize(
    "fault",
    [
        {"hang_up": True, "after_apply": True},
        {"cut": True},
        {"truncate": 200},
        {"content_type": "text/html"},
        {"status": 502, "after_apply": True},
    ],
)
def test_a_lost_result_is_incomplete_and_not_asked_for_twice(url, fault):
    """The job is gone; a 404 on the second try would look like a wrong address."""
    faults(url, {"path": "/result", **fault})

    with pytest.raises(Incomplete):
        list(enricher(url).enrich(DOMAINS))

    assert paths(url).count("/v22/domain/bulk/job-000001/result") == 1


@pytest.mark.parametrize(
    "keys",
    [
        {"Results": None},
        {"Results": "x"},
        {"Results": [1]},
        {"Results": [{"Result": {"Lookup": "other.example"}}]},
    ],
)
def test_an_impossible_answer_is_incomplete(url, keys):
    """Technologies of another company must not land on ours."""
    faults(url, {"path": "/v22/domain/bulk", "set_json": keys})

    with pytest.raises(Incomplete):
        list(enricher(url).enrich(DOMAINS[:2]))


def test_errors_instead_of_results_stop(url):
    """BuiltWith can answer 200 with errors, for example when the credits are used up."""
    faults(
        url, {"path": "/v22/domain/bulk", "set_json": {"Results": None, "Errors": [{"Code": -3}]}}
    )

    with pytest.raises(Stop):
        list(enricher(url).enrich(DOMAINS[:2]))


def test_a_failed_job_is_incomplete_and_an_endless_one_waits(url):
    """Neither may hold up the run."""
    faults(url, {"path": "/bulk/job", "set_json": {"status": "failed"}})
    with pytest.raises(Incomplete):
        list(enricher(url).enrich(DOMAINS))

    faults(url, {"path": "/bulk/job", "set_json": {"status": "queued"}, "times": 10_000})
    with pytest.raises(Wait):
        list(enricher(url, job_minutes=2).enrich(DOMAINS))


def test_the_key_is_sent_as_a_header_only(url, sandbox):
    """As a query parameter it would stand in every proxy's log."""
    list(enricher(url).enrich(DOMAINS[:1]))

    assert all("token" not in one["path"] for one in sandbox.requests)


def test_the_front_page_names_what_exists():
    """A path that cannot be imported fails only when someone uses it."""
    from audiencehub.connector import load

    assert [load(path) for path in (SPEC.enricher, SPEC.sandbox, SPEC.options)]
