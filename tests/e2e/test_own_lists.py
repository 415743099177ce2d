"""A segment as a static list, a campaign, signed messages and a digest, by the command line."""

from __future__ import annotations

import pytest

from audiencehub.sandbox import process
from tests.e2e import fakes
from tests.e2e.project import EVERYTHING_GOES, Project

SEGMENT = "pricing_page_interest"
ENTRIES = """
[destinations.webhook]
connector = "webhook"
[destinations.webhook.options]
calls_per_second = 1000
[destinations.slack]
connector = "slack"
[destinations.slack.options]
names = 3
"""
PLACES = ("hubspot", "salesforce", "webhook", "slack")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The first day is done, with four more places for one segment."""
    made = Project.make(tmp_path_factory.mktemp("own") / "lists", EVERYTHING_GOES + ENTRIES)
    rule = made.rule(SEGMENT)
    first = "activate:\n"
    more = "".join(f"  - {{to: {to}, as: list, name: Looked at prices}}\n" for to in PLACES)
    rule.write_text(rule.read_text().replace(first, first + more))
    made.sync("--quiet")
    return made


def on_list(project):
    (known,) = fakes.table(project, "hubspot", "lists")
    return set(fakes.table(project, "hubspot", f"members:{known}"))


def in_campaign(project):
    campaigns = fakes.table(project, "salesforce", "Campaign").values()
    (known,) = [one["Id"] for one in campaigns if "[ah:" in one["Name"]]
    return {
        one["ContactId"] or one["LeadId"]
        for one in fakes.table(project, "salesforce", "CampaignMember").values()
        if one["CampaignId"] == known and not one["IsDeleted"]
    }


def tagged(project, crm):
    found = fakes.state(project).segments().items()
    return {key for (vendor, _, key), tags in found if vendor == crm and SEGMENT in tags}


def texts(project):
    return [one["text"] for one in fakes.table(project, "slack", "message").values()]


def unwilling(project):
    """Records at both CRMs whose person said no to marketing by e-mail."""
    said = fakes.table(project, "hubspot", "subscription")
    out = {mail for mail, one in said.items() if one["status"] == "UNSUBSCRIBED"}
    contacts = fakes.records(project, "hubspot", "contacts").items()
    return {
        *(key for key, one in contacts if (one.get("email") or "").casefold() in out),
        *(
            key
            for kind in ("Contact", "Lead")
            for key, one in fakes.records(project, "salesforce", kind).items()
            if one["HasOptedOutOfEmail"]
        ),
    }


@pytest.mark.verify
def test_a_segment_goes_to_lists_of_records_a_receiver_and_a_channel(project):
    """If it fails, a rule's `as: list` does not arrive there, or reaches people who said no to
    marketing; their tags, which need no consent, are the measure."""
    for crm, members in (("hubspot", on_list(project)), ("salesforce", in_campaign(project))):
        assert members and members < tagged(project, crm), crm
        assert not members & unwilling(project), crm
    rows = fakes.table(project, "webhook", f"member:{SEGMENT}").values()
    assert rows and all(len(row["email_sha256"]) == 64 for row in rows)
    assert all(set(row) <= {"email_sha256", "external_id"} for row in rows)
    (text,) = texts(project)
    people = len(tagged(project, "hubspot") | tagged(project, "salesforce"))
    told = int(text.partition(": ")[2].partition(" entered")[0])
    assert len(rows) < told <= people and "and " in text


@pytest.mark.verify
def test_the_next_day_who_said_no_is_gone_and_a_quiet_day_is_silent(project, tmp_path):
    """If it fails, somebody who unsubscribed stays on a list that mail is sent to; or a channel
    hears each run of corrected names."""
    project = project.copy(tmp_path / "tomorrow")
    before = on_list(project) | in_campaign(project)
    with project.sandbox() as urls:
        process.next_day(urls)
    project.sync("--quiet")
    after = on_list(project) | in_campaign(project)
    assert before - after, "nobody left: the test proves nothing"
    assert not after & unwilling(project)
    told, written = texts(project), len(fakes.table(project, "salesforce", "__writes"))

    project.sync("--quiet")

    assert texts(project) == told
    assert len(fakes.table(project, "salesforce", "__writes")) == written
    assert on_list(project) | in_campaign(project) == after


@pytest.mark.verify
def test_who_is_forgotten_is_off_every_list_and_the_channel_is_named(project, tmp_path):
    """If it fails, an erased person is mailed by the CRM; or the certificate passes over messages
    that nobody but a person can take back."""
    project = project.copy(tmp_path / "forgotten")
    leaving = sorted(on_list(project))[0]
    email = fakes.records(project, "hubspot", "contacts")[leaving]["email"]

    done = project.run("forget", email, "--reason", "asked by letter", "--yes")

    assert leaving not in on_list(project)
    for place in PLACES:
        assert f"{place}/list/{SEGMENT}: accepted" in done.out
    assert "what was told stays there" in " ".join(done.out.split())
