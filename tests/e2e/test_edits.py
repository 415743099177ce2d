"""Tags and reasons as sales sees them; what a person edits by hand is theirs until they say so."""

from __future__ import annotations

import pytest
import yaml

from tests.e2e import fakes, people

SEGMENTS, REASON = "audiencehub_segments", "audiencehub_reason"


def tags(urls, key):
    """A HubSpot contact's tags by its API."""
    held = people.look(urls, "contacts", key, SEGMENTS)[SEGMENTS]
    return set(filter(None, (held or "").split(";")))


def edits(project):
    """What `drift` lists."""
    return project.json("drift")


def chosen(project, segment):
    """A contact of HubSpot with this tag, not a customer."""
    return next(
        key
        for (crm, kind, key), held in sorted(fakes.state(project).segments().items())
        if (crm, kind) == ("hubspot", "contacts") and held == {segment}
    )


def everyone(project, name):
    """Change a rule's condition so that all contacts who have a first name are in it."""
    path = project.rule(name)
    rule = yaml.safe_load(path.read_text())
    rule["when"] = {"all": [{"created_at": {"known": True}}]}
    rule.pop("examples")
    path.write_text(yaml.safe_dump(rule, sort_keys=False, allow_unicode=True))


@pytest.mark.verify
def test_tags_and_reasons_show_on_the_contact(pushed, tmp_path):
    """A tag without its reason leaves sales guessing; both stand on the record, in both CRMs."""
    project = pushed.copy(tmp_path / "shown")
    key = chosen(project, "pricing_page_interest")
    lead = next(k for crm, kind, k in fakes.state(project).segments() if kind == "Contact")
    with project.sandbox() as urls:
        shown = people.look(urls, "contacts", key, SEGMENTS, REASON)
        theirs = people.look_salesforce(urls, "Contact", lead)

    assert shown[SEGMENTS] == "pricing_page_interest"
    assert shown[REASON].startswith("Looks at prices since 2026-11-16: ")
    assert "/pricing" in shown[REASON]
    assert theirs["Audiencehub_Segments__c"]
    assert " since 2026-11-16: " in theirs["Audiencehub_Reason__c"]


@pytest.fixture
def edited(pushed, tmp_path):
    """A contact to which somebody added one tag and took one."""
    project = pushed.copy(tmp_path / "edited")
    key = chosen(project, "pricing_page_interest")
    options = fakes.state(project).options["contacts"]
    added = next(one for one in options if one not in ("pricing_page_interest", "fading_users"))
    with project.sandbox() as urls:
        people.edit(urls, "contacts", key, **{SEGMENTS: added})
        yield project, urls, key, added


@pytest.mark.verify
@pytest.mark.fault(9)
def test_a_hand_edit_is_listed_and_not_undone(edited):
    """If the next sync writes over what sales did, they stop trusting the field."""
    project, urls, key, added = edited

    done = project.sync("--quiet")

    assert tags(urls, key) == {added}
    assert edits(project) == [
        {
            "target": "hubspot/contact/tags",
            "record": key,
            "added": [added],
            "removed": ["pricing_page_interest"],
            "found_at": edits(project)[0]["found_at"],
        }
    ]
    assert "edited by hand" in done.out
    said = project.run("drift").out
    assert key in said
    assert added in said


@pytest.mark.verify
@pytest.mark.fault(9)
def test_a_rule_change_keeps_the_hand_edit(edited):
    """When a rule gives the same contact another tag, the write must carry the edit along; also
    when nobody had looked at the record since."""
    project, urls, key, added = edited
    everyone(project, "fading_users")

    project.sync("--quiet")

    assert tags(urls, key) == {added, "fading_users"}
    assert [one["record"] for one in edits(project)] == [key]

    project.sync("--quiet")
    assert tags(urls, key) == {added, "fading_users"}


@pytest.mark.verify
def test_an_accepted_edit_stands_and_is_listed_no_more(edited):
    """Accepted means settled: it stays, through later changes too."""
    project, urls, key, added = edited
    project.sync("--quiet")

    project.run("drift", "--accept", f"hubspot/contact/tags:{key}")
    assert edits(project) == []
    everyone(project, "fading_users")
    project.sync("--quiet")

    assert tags(urls, key) == {added, "fading_users"}
    assert edits(project) == []


@pytest.mark.verify
def test_a_reverted_edit_is_written_over(edited):
    """Reverted means the rules win again, with the next push."""
    project, urls, key, _ = edited
    project.sync("--quiet")

    project.run("drift", "--revert", f"hubspot/contact/tags:{key}")
    project.sync("--quiet")

    assert tags(urls, key) == {"pricing_page_interest"}
    assert edits(project) == []


@pytest.mark.verify
def test_an_edit_of_nothing_known_is_refused(edited):
    """A typo in --accept must not settle nothing in silence."""
    project, *_ = edited
    done = project.run("drift", "--accept", "hubspot/contact/tags:1", code=2)
    assert "Traceback" not in done.text
    assert done.err.strip()
