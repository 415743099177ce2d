"""The verb preview, on a small company that was published."""

from __future__ import annotations

import pytest
import yaml

from audiencehub.ledger import Ledger
from tests.cli.small import NOW, answer, company, project, publish, rule, run

WHEN = {
    "all": [
        {"account.industry": "fintech"},
        {"event": {"name": "page_view", "count": {"at_least": 2}, "within": "30 days"}},
        {"not": {"title": "Engineer"}},
    ]
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The small company, published, with three rules."""
    project(tmp_path)
    rule(tmp_path, "wanted", WHEN)
    rule(tmp_path, "fintech", {"account.industry": "fintech"})
    rule(tmp_path, "bosses", {"any": [{"title": "CFO"}, {"title": "CEO"}]})
    publish(tmp_path, {NOW: company()})
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return tmp_path


def by_hand():
    """Who is in `wanted`, counted without the product."""
    fintech = {n for n in range(1, 41) if (n - 1) % 10 + 1 <= 4}
    looked = {n for n in range(1, 41) if n % 4 >= 2}
    return fintech, looked, {n for n in range(1, 41) if n % 2}


def test_size_share_and_waterfall(home):
    """A rule's author must see how many it selects, and which clause throws people out."""
    fintech, looked, odd = by_hand()

    found = answer("preview", "wanted")

    assert found["size"] == len(fintech & looked & odd) > 0
    assert found["total"] == 40
    assert found["share"] == found["size"] / 40
    assert found["joined"] == "all"
    assert [(one["alone"], one["running"]) for one in found["steps"]] == [
        (len(fintech), len(fintech)),
        (len(looked), len(fintech & looked)),
        (len(odd), len(fintech & looked & odd)),
    ]
    assert [one["line"] for one in found["steps"]] == [7, 8, 13]


def test_branches_of_any_stand_alone(home):
    """Of alternatives each one's own share is the question, not what is left after the others."""
    found = answer("preview", "bosses")

    assert found["joined"] == "any"
    assert [(one["alone"], one["running"]) for one in found["steps"]] == [(20, 20), (0, 20)]
    assert "Nobody fulfils" in run("preview", "bosses").output


def test_overlap_counts_both_share_and_jaccard(home):
    """Two segments with the same people are found before both are mailed."""
    fintech, looked, odd = by_hand()
    size = len(fintech & looked & odd)

    found = {one["segment"]: one for one in answer("preview", "wanted")["overlap"]}

    assert found["fintech"]["both"] == size
    assert found["fintech"]["share"] == 1.0
    assert found["fintech"]["jaccard"] == size / len(fintech)
    assert set(found) == {"fintech", "bosses"}


def test_sample_names_nobody(home):
    """A preview is pasted into tickets and chats: it must not carry addresses."""
    shown = run("preview", "wanted").output
    found = answer("preview", "wanted")

    assert found["sample"], "somebody is shown"
    assert "person" not in shown
    assert "p…@company" in shown
    assert all("person" not in one["who"] for one in found["sample"])


def test_a_file_that_no_sync_has_seen(home):
    """A draft is tried before it is put among the rules; it may refer to those."""
    draft = home / "draft.yaml"
    rule(home, "draft", {"all": [{"segment": "fintech"}, {"title": "CFO"}]}).rename(draft)

    found = answer("preview", str(draft))

    fintech, _, odd = by_hand()
    assert found["segment"] == "draft"
    assert found["size"] == len(fintech & odd)


def test_faults_of_a_draft_name_its_own_path(home):
    """A fault at a path that does not exist cannot be corrected."""
    draft = home / "draft.yaml"
    rule(home, "draft", {"titel": "CFO"}).rename(draft)

    found = run("preview", str(draft))

    assert found.exit_code == 2
    assert f"{draft}:6" in found.output.replace("\n", "")
    assert "Did you mean title?" in found.output


def test_as_of_sets_the_clock(home):
    """Windows end at the date asked for: a month ago nobody had looked at prices yet."""
    assert answer("preview", "wanted", "--as-of", "2026-10-01")["size"] == 0


def test_reach_per_destination(home):
    """Who has no consent or no identifier is missing from a list; that must show before a push."""
    with (home / "deployments" / "sandbox.toml").open("a") as settings:
        settings.write('[destinations.meta_ads]\nconnector = "meta_ads"\n')
        settings.write('[destinations.meta_ads.options]\nad_account_id = "1"\n')
    activate = [{"to": "meta_ads", "as": "list"}, {"to": "elsewhere", "as": "tag"}]
    rule(home, "wanted", WHEN, activate=activate)
    fintech, looked, odd = by_hand()
    members = sorted(fintech & looked & odd)
    ledger = Ledger.open(home / ".audiencehub" / "sandbox")
    ledger.consent.record([(members[0], "advertising", "ads", "granted", "crm", NOW, None)])
    ledger.close()

    found = answer("preview", "wanted")

    (reach,) = found["reach"]
    assert reach["people"] == 1
    assert reach["excluded"] == {"no_consent": len(members) - 1}
    assert not reach["enough"]
    assert found["not_set_up"] == ["elsewhere"]
    assert "the platform uses no list under" in run("preview", "wanted").output


def test_who_is_left_out_of_a_list(home):
    """A count of bad addresses mends none: support needs the number of each person, and why."""
    with (home / "deployments" / "sandbox.toml").open("a") as settings:
        settings.write('[destinations.meta_ads]\nconnector = "meta_ads"\n')
        settings.write('[destinations.meta_ads.options]\nad_account_id = "1"\n')
    rule(home, "wanted", WHEN, activate=[{"to": "meta_ads", "as": "list"}])
    fintech, looked, odd = by_hand()
    first, *rest = sorted(fintech & looked & odd)
    ledger = Ledger.open(home / ".audiencehub" / "sandbox")
    ledger.consent.record([(first, "advertising", "ads", "granted", "crm", NOW, None)])
    ledger.close()

    (reach,) = answer("preview", "wanted", "--left-out")["reach"]
    assert reach["left_out"] == {str(number): "no_consent" for number in rest}
    shown = " ".join(run("preview", "wanted", "--left-out").output.split())
    assert f"meta_ads/list/wanted, no consent: {', '.join(map(str, rest))}" in shown
    assert "left_out" not in answer("preview", "wanted")["reach"][0]


def test_sql_is_printed_whole(home):
    """Someone who reads SQL checks the rule by it; a folded line would not run."""
    found = run("preview", "wanted", "--sql")

    assert found.exit_code == 0, found.output
    assert "SELECT" in found.stdout
    assert "industry" in found.stdout


def test_before_anything_is_published(tmp_path, monkeypatch):
    """Whoever tries a rule first is told what to do, not shown a traceback."""
    project(tmp_path)
    rule(tmp_path, "fintech", {"account.industry": "fintech"})
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))

    found = run("preview", "fintech")

    assert found.exit_code == 2
    assert "audiencehub sync" in found.output
    assert "Traceback" not in found.output


def test_an_unknown_rule_is_named_with_the_nearest(home):
    """A misspelt name costs one more try, not a search."""
    found = run("preview", "wantet")

    assert found.exit_code == 2
    assert "Did you mean wanted?" in found.output


def test_everything_fits_the_width(home):
    """Lines that run over the edge are unreadable in a ticket."""
    assert max(len(line) for line in run("preview", "wanted").output.splitlines()) <= 100


def test_a_ladder_is_no_segment_but_names_its_rungs(home):
    """Who previews a ladder wants one of its rungs, and not the one whose name is most alike."""
    rungs = [{"rung": "top", "label": "T", "when": {"title": "CFO"}}]
    rungs.append({"rung": "rest", "label": "R", "otherwise": True})
    ladder = {"ladder": "rank", "label": "Rank", "model": "value", "of": "contact", "goal": "g"}
    ladder |= {"action": "a", "owner": "o@acme.example", "rungs": rungs}
    text = yaml.safe_dump(ladder, sort_keys=False)
    folder = home / "segment_rules" / "ladders"
    folder.mkdir()
    (folder / "rank.yaml").write_text(text, "utf-8")

    found = run("preview", "rank")

    assert found.exit_code == 2
    assert "rank is a ladder of segments." in found.output
    assert "rank.top, rank.rest" in found.output


def test_who_is_a_member_now_is_held_against_the_rule(home):
    """A size that differs from the last run's, without a word why, is taken for a fault; who edits
    a rule wants to know whom that moves."""
    fintech, looked, odd = by_hand()
    matching = sorted(fintech & looked & odd)
    inside = [*matching[1:], 2]
    members = [
        {"entity": "contact", "id": one, "segment": name, "since": NOW, "reason": ""}
        for name, ids in {"wanted": inside, "bosses": sorted(odd)}.items()
        for one in ids
    ]
    publish(home, {NOW: company() | {"member": members}})
    rule(home, "wanted", WHEN, stay={"at_least": "3 days"})

    found = answer("preview", "wanted")["change"]

    assert found == {"members": len(inside), "enter": 1, "gone": 1, "stay": "3 days"}
    shown = " ".join(run("preview", "wanted").output.split())
    said = f"{len(inside)} are members now: 1 would enter, 1 no longer match, though the rule keeps"
    assert f"{said} them at least 3 days." in shown
    assert "The same 20 are members now." in run("preview", "bosses").output
    assert "are members now" not in run("preview", "fintech").output


def companies_at_linkedin(home, more=""):
    """Sets up LinkedIn for lists of companies."""
    with (home / "deployments" / "sandbox.toml").open("a") as settings:
        settings.write('[destinations.linkedin]\nconnector = "linkedin_ads"\n')
        settings.write('[destinations.linkedin.options]\naccount_id = "1"\n')
        settings.write('source_platform = "ACME"\nmembers = "companies"\n' + more)


def test_reach_counts_what_the_settings_make_of_a_list(home):
    """A list of companies has no people to ask for consent, and who is in an excluded segment is on
    none: a preview that knows neither promises another list than the push fills."""
    companies_at_linkedin(home)
    rule(home, "large", {"account.employee_count": {"at_least": 200}}, of="account")
    activate = [{"to": "linkedin", "as": "list", "exclude": ["large"]}]
    rule(home, "wanted", {"account.industry": "fintech"}, of="account", activate=activate)

    (reach,) = answer("preview", "wanted")["reach"]

    assert (reach["people"], reach["excluded"]) == (1, {"excluded_segment": 3})


def test_reach_leaves_whom_a_higher_list_claims(home):
    """If this fails, a preview promises people whom the plan then gives to another list."""
    companies_at_linkedin(home, '[priorities.win]\ndestinations = ["linkedin"]\n'
                          'segments = ["large", "wanted"]\n')  # fmt: skip
    activate = [{"to": "linkedin", "as": "list"}]
    large = {"account.employee_count": {"at_least": 200}}
    rule(home, "large", large, of="account", activate=activate)
    rule(home, "wanted", {"account.industry": "fintech"}, of="account", activate=activate)

    (low,), (high,) = (answer("preview", one)["reach"] for one in ("wanted", "large"))

    assert (low["people"], low["excluded"]) == (1, {"higher_list": 3})
    assert high["excluded"] == {}
