"""The verb check: planted faults, and rules held against data."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest

from tests.cli.planted import plant
from tests.cli.small import NOW, answer, company, project, publish, rule, run

GOOD = {"goal": "g", "action": "a", "owner": "o@acme.example", "review_by": "2099-01-01"}


@pytest.mark.fault(19)
def test_twenty_five_planted_faults_are_reported_at_once(tmp_path, monkeypatch):
    """If one hides another, its author corrects and waits, corrects and waits."""
    planted = plant(tmp_path)
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    start = time.process_time()

    found = run("check", "--json")

    assert time.process_time() - start < 2, "a lint that is slow is not run"
    assert found.exit_code == 2
    faults = json.loads(found.stdout)["faults"]
    assert len(planted) == len(faults) == 25
    said = {(one["path"], one["line"]): f"{one['message']} {one['hint']}" for one in faults}
    missed = [(p, n, words) for p, n, words in planted if words not in said.get((p, n), "")]
    assert missed == []


def test_planted_faults_for_a_person(tmp_path, monkeypatch):
    """Each fault is a line with its place that a person can act on, and no traceback."""
    plant(tmp_path)
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))

    found = run("check")

    assert found.exit_code == 2
    assert "25 faults." in found.output
    assert "segment_rules/misspelt.yaml:3: 'modle' is no key of a segment" in found.output
    assert "Traceback" not in found.output
    assert max(len(line) for line in found.output.splitlines()) <= 100


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty project."""
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return project(tmp_path)


def messages(found):
    return [one["message"] for one in found["advice"]]


def test_a_field_that_no_source_fills_is_flagged_with_its_fill(home):
    """A rule on a field that is never filled selects nobody, for ever and in silence."""
    rule(
        home,
        "margins",
        {"any": [{"margin": {"at_least": 5}}, {"industry": "retail"}]},
        "account",
    )
    publish(home, {NOW: company()})

    found = answer("check")

    (flagged,) = [one for one in found["advice"] if "account.margin" in one["message"]]
    assert "no source fills account.margin: fill 0 % (0 of 10 accounts" in flagged["message"]
    assert (flagged["path"], flagged["line"]) == ("segment_rules/margins.yaml", 7)
    assert "audiencehub audit data --field account.margin" in flagged["hint"]
    assert not any("account.industry" in one for one in messages(found))


def test_a_hardly_filled_field_is_flagged_with_its_share(home):
    """One value in a hundred is as good as none when the rule cannot do without."""
    rule(home, "germans", {"state": "DE-BE"})
    data = company()
    data["contact"] = [{**data["contact"][0], "contact_id": n} for n in range(1, 101)]
    data["contact"][0]["state"] = "DE-BE"
    publish(home, {NOW: data})

    assert any(
        "contact.state is hardly filled: fill 1.0% (1 of 100" in one
        for one in messages(answer("check"))
    )


def test_a_segment_on_facts_that_have_stopped_is_not_measurable(home):
    """A feed that died in summer still gives sizes; whoever trusts them acts on the past."""
    rule(home, "active", {"event": {"name": "login"}})
    rule(home, "germans", {"country": "DE"})
    login = {"source": "crm", "source_id": "1", "name": "login", "at": NOW - timedelta(days=100)}
    stands = {**login, "observed_at": NOW, "deleted": False, "absent": False, "manifest_id": 1}
    facts = {"event": [{**login, "contact_id": 1}], "source_event": [stands]}
    publish(home, {NOW: {**company(), **facts}})

    lost = [one for one in answer("check")["advice"] if "not measurable" in one["message"]]

    assert [one["path"] for one in lost] == ["segment_rules/active.yaml"]
    assert "nothing newer than 100 days" in lost[0]["message"]
    assert "audiencehub audit data" in lost[0]["hint"]


def test_a_table_without_rows_is_flagged(home):
    """A rule on tickets where no help desk is connected is never true."""
    rule(home, "unhappy", {"any": [{"title": "CFO"}, {"ticket": {"within": "30 days"}}]})
    publish(home, {NOW: company()})

    assert any("ticket" in one and "fill 0 %" in one for one in messages(answer("check")))


def test_nothing_published_is_said(home):
    """Silence would look like a clean bill."""
    rule(home, "fine", {"title": "CFO"})

    found = run("check")

    assert found.exit_code == 0
    assert "Not held against data: Nothing has been published yet." in found.output
    assert answer("check")["live"] == {
        "published": None,
        "why_not": "Nothing has been published yet.",
    }


def test_segments_with_the_same_people_are_flagged(home):
    """Two names for the same people are two campaigns to the same people."""
    data = company()
    rule(home, "small", {"account.employee_count": {"at_most": 600}})
    rule(home, "other", {"account.employee_count": {"less_than": 650}})
    rule(home, "half", {"title": "CFO"})
    publish(home, {NOW: data})

    twins = [one for one in messages(answer("check")) if "nearly the members" in one]

    assert twins == [
        "small has nearly the members of other: 24 in both, 100% of all that are in either"
    ]


def test_everybody_and_nobody_are_flagged(home):
    """Neither can be acted on."""
    rule(home, "everybody", {"country": "US"})
    rule(home, "nobody", {"country": "FR"})
    publish(home, {NOW: company()})

    found = messages(answer("check"))

    assert "everybody takes in 100% of all contacts" in found
    assert "nobody takes in nobody of 40 contacts" in found
    assert not any("takes in" in one for one in messages(answer("check", "--no-live")))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (
            {"all": [{"title": "CFO"}, {"country": ["US", "CA"]}]},
            {"all": [{"country": ["CA", "US"]}, {"all": [{"title": ["CFO"]}]}]},
            True,
        ),
        ({"not": {"not": {"title": "CFO"}}}, {"any": [{"title": "CFO"}]}, True),
        ({"title": "CFO"}, {"title": {"is": "CFO", "or_unknown": True}}, False),
        (
            {"all": [{"title": "CFO"}, {"country": "US"}]},
            {"any": [{"title": "CFO"}, {"country": "US"}]},
            False,
        ),
    ],
)
def test_rules_that_mean_the_same_are_twins(home, one, other, same):
    """Order, nesting and spelling do not make another rule; a changed meaning does."""
    rule(home, "first", one)
    rule(home, "second", other)

    found = messages(answer("check"))

    assert ("second has the same condition as first" in found) is same


def test_sensitive_fields_for_ads_also_through_another_segment(home):
    """What an ad platform may not be told must not reach it by a detour either."""
    rule(home, "women", {"gender": "female"})
    rule(
        home,
        "targeted",
        {"all": [{"title": "CFO"}, {"segment": "women"}]},
        activate=[{"to": "meta_ads", "as": "list"}],
    )

    found = answer("check")["advice"]

    (flagged,) = [one for one in found if "is sensitive" in one["message"]]
    assert "contact.gender" in flagged["message"]
    assert "(through segment women)" in flagged["message"]
    assert (flagged["path"], flagged["line"]) == ("segment_rules/targeted.yaml", 8)


def test_a_crowd_for_one_purpose(home):
    """More than eight segments for one goal are more than anyone acts on."""
    for number in range(9):
        rule(home, f"part{number}", {"title": f"T{number}"}, **{**GOOD, "goal": "One  Goal"})

    found = messages(answer("check"))

    assert "more than 8 segments share the goal 'One  Goal'" in found
    rule(home, "part8", {"title": "T8"}, **{**GOOD, "goal": "another"})
    assert not any("more than 8" in one for one in messages(answer("check")))


def test_a_trait_that_nothing_reads(home):
    """A trait costs at every evaluation; one that nobody reads is a cost for nothing."""
    (home / "segment_rules" / "traits").mkdir()
    trait = "trait: {0}\nlabel: L\nof: contact\naggregate: {{order: {{sum: total}}}}\n"
    for name in ("read", "unread"):
        (home / "segment_rules" / "traits" / f"{name}.yaml").write_text(trait.format(name))
    rule(home, "big", {"trait.read": {"at_least": 5}})

    found = messages(answer("check"))

    assert "no rule and no other trait reads trait.unread" in found
    assert "no rule and no other trait reads trait.read" not in found


def test_a_segment_without_action_owner_or_with_a_review_that_is_past(home):
    """A segment that nobody acts on is waste; the linter objects."""
    rule(home, "idle", {"title": "CFO"}, goal="g", review_by="2020-01-01")

    found = messages(answer("check"))

    assert "idle has no action" in found
    assert "idle has no owner" in found
    assert "idle was to be reviewed by 2020-01-01" in found
    assert "idle goes nowhere" in found


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("account.industri", "Did you mean account.industry?"),
        ("account.titel", "Did you mean contact.title?"),
        ("acount.industry", "Did you mean account.industry?"),
        ("account.favourite_colour", "Use a field such as"),
    ],
)
def test_the_nearest_word_is_near(home, word, said):
    """A suggestion that has only the prefix in common sends people the wrong way."""
    rule(home, "odd", {word: "x"})

    (fault,) = json.loads(run("check", "--json").stdout)["faults"]

    assert said in fault["hint"]
