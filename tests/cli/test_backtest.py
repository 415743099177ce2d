"""The verb backtest, on a small company whose history is known."""

from __future__ import annotations

import pytest
import yaml

from tests.cli.small import NOW, ago, answer, company, git, project, publish, rule, run

FINTECH = {"all": [{"account.industry": "fintech"}, {"title": "CFO"}]}
WIDER = {"all": [{"account.industry": ["fintech", "retail"]}, {"country": "US"}]}
THEN = ago(200)


def before():
    """What the hub knew two hundred days ago: account 9 was fintech, nobody above 30 was there."""
    known = company()
    known["contact"] = [one for one in known["contact"] if one["contact_id"] <= 30]
    for one in known["account"]:
        if one["account_id"] == 9:
            one["industry"] = "fintech"
    return {"contact": known["contact"], "account": known["account"]}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The small company with a past, and a rule under version control."""
    project(tmp_path)
    rule(tmp_path, "wanted", FINTECH)
    rule(tmp_path, "winners", {"deal": {"where": {"is_won": True}}})
    publish(tmp_path, {THEN: before(), NOW: company()})
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return tmp_path


def members(people, accounts):
    return {n for n in people if n % 2 and (n - 1) % 10 + 1 in accounts}


def test_membership_as_it_was_known_then(home):
    """A backtest on today's values would flatter every rule: the values of then count."""
    found = answer("backtest", "wanted", "--as-of", "2026-05-16")

    assert found["mode"] == "known"
    assert found["total"] == 30
    assert found["size"] == len(members(range(1, 31), {1, 2, 3, 4, 9}))


def test_hindsight_takes_the_values_of_today(home):
    """With hindsight account 9 is no fintech, and who was created later is still not there."""
    found = answer("backtest", "wanted", "--as-of", "2026-05-16", "--hindsight")

    assert found["mode"] == "hindsight"
    assert found["total"] == 30
    assert found["size"] == len(members(range(1, 31), {1, 2, 3, 4}))


def test_before_the_first_sync_it_answers_with_hindsight_and_says_so(home):
    """The hub is younger than the date asked for: an empty answer would look like a bad rule."""
    found = answer("backtest", "wanted", "--as-of", "2026-03-01")
    shown = run("backtest", "wanted", "--as-of", "2026-03-01").output

    assert found["mode"] == "hindsight"
    assert found["size"] > 0
    assert "before the hub's first sync (2026-04-30)" in shown


@pytest.mark.parametrize("mode", [[], ["--hindsight"]])
def test_what_happened_since_is_not_known(home, mode):
    """A deal won in August must not make anyone a winner in May."""
    assert answer("backtest", "winners", "--as-of", "2026-05-16", *mode)["size"] == 0
    assert answer("backtest", "winners", "--as-of", "2026-09-01", *mode)["size"] > 0


def test_movement_between_two_versions(home):
    """A change of a rule is judged by whom it moves, and by which clause, before it is merged."""
    git(home, "init", "-q")
    git(home, "add", "segment_rules")
    git(home, "commit", "-qm", "first")
    rule(home, "wanted", WIDER)
    was = members(range(1, 31), {1, 2, 3, 4, 9})

    found = answer("backtest", "wanted", "--as-of", "2026-05-16", "--against", "HEAD")

    moved = found["movement"]
    assert (moved["both"], moved["enter"], moved["leave"]) == (len(was), 30 - len(was), 0)
    causes = {one["clause"]: one["count"] for one in moved["entering"]}
    assert causes["contact.title is CFO"] == 15
    assert causes["account.industry is fintech"] == 15
    assert all(one["version"] == "before" and not one["holds"] for one in moved["entering"])
    assert found["version"] != found["version_before"]
    assert len(moved["enter_sample"]) == 3
    shown = run("backtest", "wanted", "--as-of", "2026-05-16", "--against", "HEAD").output
    assert "21 enter, 0 leave, 9 are in both" in shown
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_who_leaves_and_by_which_clause(home):
    """Of those who leave, the clause that the new version asks for says why."""
    git(home, "init", "-q")
    git(home, "add", "segment_rules")
    git(home, "commit", "-qm", "first")
    rule(home, "wanted", {"all": [*FINTECH["all"], {"account.employee_count": {"at_least": 300}}]})

    moved = answer("backtest", "wanted", "--as-of", "2026-05-16", "--against", "HEAD")["movement"]

    (cause,) = moved["leaving"]
    assert cause["clause"] == "account.employee_count at least 300"
    assert cause["count"] == moved["leave"] == len(members(range(1, 31), {1, 2}))
    assert moved["leave_sample"][0]["why"][0].startswith("account.employee_count at least 300")


def test_the_same_meaning_moves_nobody(home):
    """A change of words alone is no movement."""
    git(home, "init", "-q")
    git(home, "add", "segment_rules")
    git(home, "commit", "-qm", "first")
    rule(home, "wanted", FINTECH, goal="Another goal")

    shown = run("backtest", "wanted", "--as-of", "2026-05-16", "--against", "HEAD").output

    assert "nobody moves" in shown


def test_figures_afterwards(home):
    """Money of two currencies is never added, and per head means per head."""
    rule(home, "first_ten", {"account.employee_count": {"at_most": 500}})

    found = answer("backtest", "first_ten", "--as-of", "2026-07-01", "--days", "120")

    after = found["afterwards"]
    assert (after["members"]["heads"], after["rest"]["heads"]) == (15, 15)
    assert after["members"]["orders"] == after["members"]["buyers"] == 5
    assert after["members"]["revenue"] == {"USD": "150.00"}
    assert after["rest"]["revenue"] == {"EUR": "7.00"}
    assert after["members"]["orders_per_head"] == pytest.approx(1 / 3)
    assert (after["members"]["deals_won"], after["members"]["won"]) == (1, {"USD": "500.00"})
    assert (after["first"], after["days"]) == ("2026-07-02", 120)


def test_days_that_have_not_passed_are_not_counted(home):
    """Ninety days after yesterday are one day: a rate over ninety would be far too low."""
    found = answer("backtest", "wanted", "--as-of", "2026-11-10")["afterwards"]

    assert (found["days"], found["days_asked"]) == (6, 90)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--as-of", "2027-01-01"], "lies after what the copy knows"),
        (["--as-of", "yesterday"], "is no date"),
        (["--as-of", "2026-05-16", "--against", "HEAD"], "no git repository"),
    ],
)
def test_questions_that_cannot_be_answered(home, words, said):
    """A mistake in the question ends in a sentence and exit code 2."""
    found = run("backtest", "wanted", *words)

    assert found.exit_code == 2
    assert said in " ".join(found.output.split())
    assert "->" in found.output


def test_revisions_that_are_not_there(home):
    """A misspelt branch, a rule younger than the revision: each says what to do."""
    (home / "segment_rules" / "wanted.yaml").rename(home / "later.yaml")
    git(home, "init", "-q")
    git(home, "add", "segment_rules")
    git(home, "commit", "-qm", "first")
    (home / "later.yaml").rename(home / "segment_rules" / "wanted.yaml")
    asked = ("backtest", "wanted", "--as-of", "2026-05-16", "--against")

    nowhere, younger = run(*asked, "mian"), run(*asked, "HEAD")

    assert "git knows no revision 'mian'" in nowhere.output
    assert "wanted did not exist at HEAD" in younger.output
    assert (nowhere.exit_code, younger.exit_code) == (2, 2)


def test_faults_of_an_old_version_name_the_revision(home):
    """A rule that was wrong at the revision is a fault there, not in the file of today."""
    rule(home, "wanted", {"titel": "CFO"})
    git(home, "init", "-q")
    git(home, "add", "segment_rules")
    git(home, "commit", "-qm", "first")
    rule(home, "wanted", FINTECH)

    found = run("backtest", "wanted", "--as-of", "2026-05-16", "--against", "HEAD")

    assert found.exit_code == 2
    assert "HEAD:segment_rules/wanted.yaml:6" in found.output


def test_a_rule_on_facts_that_begin_later_says_so(home):
    """Nobody, because nothing was recorded yet, must not read as a rule that fits nobody."""
    rule(home, "lookers", {"event": {"name": "page_view"}})

    found = answer("backtest", "lookers", "--as-of", "2026-05-16")
    shown = run("backtest", "lookers", "--as-of", "2026-05-16").output

    assert found["size"] == 0
    assert found["blind"] == {"event": "2026-11-13"}
    assert "No event is dated before 2026-11-13" in shown


def test_the_day_of_the_copy_itself(home):
    """Today ends at midnight, after the copy was made: the question is still a fair one."""
    found = answer("backtest", "wanted", "--as-of", "2026-11-16")

    assert (found["mode"], found["total"]) == ("known", 40)
    assert found["afterwards"]["days"] == 0
    assert "Nothing has happened since" in run("backtest", "wanted", "--as-of", "2026-11-16").output


def trait(home, industry):
    folder = home / "segment_rules" / "traits"
    folder.mkdir(exist_ok=True)
    values = {
        "trait": "fits",
        "label": "Fits",
        "of": "account",
        "about": "a",
        "owner": "o@a.example",
    }
    values["points"] = [{"when": {"account.industry": industry}, "points": 10}]
    (folder / "fits.yaml").write_text(yaml.safe_dump(values, sort_keys=False), "utf-8")


def test_a_changed_trait_moves_people_though_the_rule_is_the_same(home):
    """Who edits a trait asks whom it moves; "the rule means the same" would be a wrong answer. And
    without a date the question is about now."""
    trait(home, "fintech")
    rule(home, "fitting", {"trait.fits": {"at_least": 10}}, "account")
    git(home, "init", "-q")
    git(home, "add", "segment_rules")
    git(home, "commit", "-qm", "first")
    asked = ("backtest", "fitting", "--against", "HEAD")

    same = run(*asked).output
    trait(home, ["fintech", "retail"])
    found, shown = answer(*asked), run(*asked).output

    assert "nobody moves" in same
    assert found["as_of"] == NOW.isoformat()
    assert found["movement"]["enter"] > 0
    assert "nobody moves" not in shown
    assert f"same rule, other traits or segments): {found['movement']['enter']} enter" in shown


def test_a_rule_on_scores_that_begin_later_says_so(home):
    """Models learn from day to day: nobody had a score then, which is no fault of the rule."""
    folder = home / "segment_rules" / "traits"
    folder.mkdir()
    score = {"trait": "chance", "label": "C", "of": "contact", "about": "a", "owner": "o@a.example"}
    score["model_score"] = {"model": "chance"}
    (folder / "chance.yaml").write_text(yaml.safe_dump(score, sort_keys=False), "utf-8")
    rule(home, "likely", {"trait.chance": {"at_least": 0.5}})
    scored = {"entity": "contact", "id": 1, "model": "chance", "value": 0.9, "at": ago(1)}
    publish(home, {THEN: before(), NOW: company() | {"model_score": [scored]}})

    shown = run("backtest", "likely", "--as-of", "2026-05-16").output

    assert "No score of chance is dated before 2026-11-15" in shown
    assert "No score" not in run("backtest", "likely", "--as-of", "2026-11-16").output
