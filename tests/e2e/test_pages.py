"""Empty, cut and impossible answers of a source take nothing from anybody, and are told."""

from __future__ import annotations

import json

import pytest

from audiencehub.sandbox import process
from tests.e2e import fakes, people
from tests.e2e.project import Project

HTML = "<html><body>Scheduled maintenance</body></html>"
CONTACTS = {"path": "/contacts?", "method": "GET", "times": 1000}
QUERY = {"path": "/queryAll", "method": "GET", "times": 1000}
WRONG = {
    "hubspot-empty-page": ("hubspot", {**CONTACTS, "set_json": {"results": [], "paging": None}}),
    "hubspot-no-results": ("hubspot", {**CONTACTS, "set_json": {"results": None}}),
    "hubspot-truncated-json": ("hubspot", {**CONTACTS, "truncate": 400}),
    "hubspot-cut-connection": ("hubspot", {**CONTACTS, "cut": True}),
    "hubspot-html": ("hubspot", {**CONTACTS, "status": 200, "body": HTML}),
    "hubspot-lost-next-page": ("hubspot", {**CONTACTS, "set_json": {"paging": None}}),
    "salesforce-records-gone": ("salesforce", {**QUERY, "set_json": {"records": []}}),
    "salesforce-truncated-json": ("salesforce", {**QUERY, "truncate": 400}),
    "salesforce-html": ("salesforce", {**QUERY, "status": 200, "body": HTML}),
}
QUICK = ("hubspot-empty-page", "salesforce-records-gone")


def removals(project: Project, since: Project) -> list[str]:
    """Removals in the write log of the ad platform since another state of the same world, but for
    those of people who withdrew: nothing may stop these."""
    done = len(fakes.writes(since, "meta_ads"))
    withdrew = people.hashes(people.refusing(project))
    return [
        one
        for one in fakes.writes(project, "meta_ads")[done:]
        if one["op"] == "remove" and json.loads(one["member"]).get("EMAIL") not in withdrew
    ]


def taken(before: fakes.State, project: Project) -> list[str]:
    """Tags that are gone from any record."""
    lost = fakes.taken(before, fakes.state(project))
    return [one for one in lost if not one.endswith(" rows")]


def spoilt(tomorrow: Project, project: Project, *faults: str) -> str:
    """A full sync on the second morning with these faults; what it said. Fails on a removal."""
    before = fakes.state(project)
    with project.sandbox() as urls:
        for name in faults:
            vendor, fault = WRONG[name]
            process.fault(urls, vendor, **fault)
        done = project.sync("--full", code=None)
        for vendor in {WRONG[name][0] for name in faults}:
            process.clear_faults(urls, vendor)
    assert taken(before, project) == []
    assert removals(project, tomorrow) == []
    assert "Traceback" not in done.text
    return done.err


@pytest.mark.verify
def test_an_empty_and_a_robbed_page_take_nothing(tomorrow, second_day, tmp_path):
    """A source that lies for one night must not empty segments; what is due comes when it heals."""
    project = tomorrow.copy(tmp_path / "spoilt")
    due = " ".join(fakes.taken(fakes.state(tomorrow), fakes.state(second_day)))
    assert "hubspot" in due, "nobody leaves on this day: the test proves nothing"
    assert "salesforce" in due
    assert removals(second_day, tomorrow)

    said = spoilt(tomorrow, project, *QUICK)
    assert "hubspot is incomplete: contact" in said
    assert "salesforce is incomplete: contact" in said

    project.sync("--full", "--quiet")
    assert fakes.state(project) == fakes.state(second_day)


@pytest.mark.verify
@pytest.mark.parametrize("fault", sorted(WRONG))
def test_no_wrong_answer_takes_anything(tomorrow, second_day, tmp_path, fault):
    """Each way in which a page can be wrong, alone."""
    project = tomorrow.copy(tmp_path / "spoilt")

    said = spoilt(tomorrow, project, fault)
    assert f"{WRONG[fault][0]} is incomplete" in said or f"{WRONG[fault][0]}: " in said

    project.sync("--full", "--quiet")
    assert fakes.state(project) == fakes.state(second_day)


@pytest.mark.verify
@pytest.mark.parametrize("share", [0.5, 0.0])
def test_truncated_files_take_nothing(pushed, tmp_path, share):
    """A file that is cut in the middle of a line, or empty, is no reason to remove anybody."""
    project = pushed.copy(tmp_path / "spoilt")
    for name in ("events", "orders", "intent", "consent"):
        for path in (project.folder / "sandbox" / "drops").glob(f"{name}-*"):
            whole = path.read_bytes()
            path.write_bytes(whole[: int(len(whole) * share) - 7] if share else b"")

    done = project.sync("--full", code=None)

    assert taken(fakes.state(pushed), project) == []
    assert removals(project, pushed) == []
    assert "Traceback" not in done.text
    aside = project.json("quarantine", "list")
    assert bool(aside) == bool(share)


@pytest.mark.verify
def test_an_enricher_that_fails_on_the_first_day_is_asked_again(morning, pushed, tmp_path):
    """Answers that never came must not count as "uses nothing" for thirty days."""
    project = morning.copy(tmp_path / "spoilt")
    with project.sandbox() as urls:
        process.fault(urls, "builtwith", status=200, body=HTML, times=1000)
        done = project.sync(code=None)
        process.clear_faults(urls, "builtwith")
    assert "builtwith" in done.err
    assert "Traceback" not in done.text
    assert fakes.state(project) != fakes.state(pushed)

    project.sync("--quiet")
    assert fakes.state(project).segments() == fakes.state(pushed).segments()
