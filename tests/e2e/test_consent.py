"""Nobody without consent ever reaches the ad platform, and who takes it back is gone."""

from __future__ import annotations

import json

import pytest

from audiencehub.sandbox import process
from tests.e2e import fakes, people


def uploaded(project):
    """Hashes of every address that was ever added, from the platform's own log."""
    log = fakes.writes(project, "meta_ads")
    return [json.loads(one["member"])["EMAIL"] for one in log if one["op"] == "add"]


def standing(project):
    """Hashes of every address that stands on a list now."""
    rows = [row for rows in fakes.state(project).lists.values() for row in rows]
    return [json.loads(row)["EMAIL"] for row in rows]


@pytest.mark.verify
def test_everyone_ever_uploaded_had_said_yes(pushed, second_day):
    """If one hash is of a person who did not grant advertising, that is a breach, not a fault."""
    for project in (pushed, second_day):
        known = people.hashes(people.emails(project))
        granted = people.granting(project)
        assert standing(project), "nobody was uploaded: the test proves nothing"
        assert {known.get(digest) for digest in standing(project)} <= granted
        for digest in standing(project):
            assert known[digest] not in people.refusing(project)
    first = people.hashes(people.emails(pushed))
    assert {first.get(digest) for digest in uploaded(pushed)} <= people.granting(pushed)


@pytest.mark.verify
def test_some_members_are_left_out_for_want_of_consent(pushed):
    """If everybody had consented, the test above could not fail."""
    segment = "pricing_page_interest"
    tagged = [one for one, tags in fakes.state(pushed).segments().items() if segment in tags]
    assert len(tagged) > len(fakes.state(pushed).lists["Looked at prices"])
    assert people.refusing(pushed)


@pytest.mark.verify
def test_who_withdraws_is_gone_with_the_next_sync(tomorrow, tmp_path):
    """A withdrawal must leave every list at once, by the very row that was uploaded."""
    project = tomorrow.copy(tmp_path / "withdrawn")
    known = people.hashes(people.emails(project))
    leaving = sorted(set(standing(project)))[:3]
    for digest in leaving:
        people.withdraw(project, known[digest], "2026-11-17T08:30:00+00:00")

    project.sync("--quiet")

    assert leaving
    assert not set(leaving) & set(standing(project))
    assert {known[digest] for digest in standing(project)} <= people.granting(project)


@pytest.mark.verify
def test_a_withdrawal_passes_though_a_source_is_broken(tomorrow, tmp_path):
    """Removals wait when a source was not read to its end; withdrawals never wait."""
    project = tomorrow.copy(tmp_path / "withdrawn")
    leaving = sorted(set(standing(project)))[0]
    email = people.hashes(people.emails(project))[leaving]
    people.withdraw(project, email, "2026-11-17T08:30:00+00:00")

    with project.sandbox() as urls:
        process.fault(
            urls, "hubspot", path="/contacts", method="GET", times=1000, set_json={"results": None}
        )
        project.sync("--full", "--quiet", code=None)

    assert leaving not in standing(project)
