"""The verb explain on near misses, of people and of companies, with their traits."""

from __future__ import annotations

import pytest
import yaml

from tests.cli.small import NOW, answer, company, project, publish, rule, run

WHEN = {"all": [{"account.industry": "fintech"}, {"account.employee_count": {"at_least": 300}}]}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The small company, published, with rules of both kinds."""
    project(tmp_path)
    rule(tmp_path, "wanted", {"all": [*WHEN["all"], {"title": "CFO"}]})
    rule(
        tmp_path,
        "big_fintech",
        {"all": [{"industry": "fintech"}, {"employee_count": {"at_least": 300}}]},
        "account",
    )
    publish(tmp_path, {NOW: company()})
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("who", "segment", "clause", "needed"),
    [
        (
            "person11@company1.example",
            "wanted",
            "✗ account.employee_count at least 300 (100)",
            "account.employee_count at least 300, 200 more (now 100)",
        ),
        (
            "company2.example",
            "big_fintech",
            "✗ account.employee_count at least 300 (200)",
            "account.employee_count at least 300, 100 more (now 200)",
        ),
    ],
)
def test_a_near_miss_names_the_one_clause_and_the_value_needed(home, who, segment, clause, needed):
    """Whoever asks why not wants the one thing that is missing, on people and on companies."""
    (found,) = answer("explain", who, "--segment", segment)["segments"]

    assert found["near_miss"]
    assert found["decided"] == [clause]
    assert found["flip"] == [needed]
    shown = " ".join(run("explain", who, "--segment", segment).output.split())
    assert f"a near miss, only this fails: {clause}" in shown
    assert needed in shown


def test_two_clauses_off_is_no_near_miss(home):
    """Of someone far away no single clause is to blame."""
    (found,) = answer("explain", "person6@company6.example", "--segment", "wanted")["segments"]

    assert not found["near_miss"]
    assert len(found["decided"]) == 2


def test_near_misses_come_before_the_rest(home):
    """Among the segments someone is not in, the nearly reached ones are of interest."""
    rule(home, "another", {"all": [{"title": "CEO"}, {"country": "DE"}]})

    found = answer("explain", "person11@company1.example")["segments"]

    assert [one["segment"] for one in found] == ["wanted", "another"]


LADDER = {
    "ladder": "size",
    "label": "Size",
    "model": "value",
    "of": "contact",
    "goal": "g",
    "action": "a",
    "owner": "o@acme.example",
    "rungs": [
        {"rung": "large", "label": "Large", "when": {"account.employee_count": {"at_least": 900}}},
        {"rung": "mid", "label": "Mid", "when": {"account.employee_count": {"at_least": 100}}},
        {"rung": "known", "label": "Known", "when": {"account.employee_count": {"known": True}}},
        {"rung": "rest", "label": "Rest", "otherwise": True},
    ],
}


@pytest.fixture
def laddered(home):
    """The same company, with a ladder of four rungs."""
    folder = home / "segment_rules" / "ladders"
    folder.mkdir()
    (folder / "size.yaml").write_text(yaml.safe_dump(LADDER, sort_keys=False), "utf-8")
    return home


def test_a_ladder_is_explained_as_one(laddered):
    """Twenty rungs that someone is not on, each with its reasons, bury the one they are on."""
    said = run("explain", "person11@company1.example").output
    text = " ".join(said.split())

    assert text.count("Size [ladder size]: Mid") == 1
    assert "✓ account.employee_count at least 100 seen: 100" in text
    assert "an earlier rung comes first: Known near miss" in text
    assert "near miss of Large: account.employee_count at least 900, 800 more (now 100)" in text
    assert "[size.rest]" not in text


def test_a_ladder_may_be_asked_for_and_a_slip_is_put_right(laddered):
    """Who asks for the lifecycle means all its stages; a list of sixty names is no answer."""
    asked = answer("explain", "person11@company1.example", "--segment", "size")["segments"]
    wrong = run("explain", "person11@company1.example", "--segment", "sise")

    assert {one["segment"] for one in asked} == {f"size.{one['rung']}" for one in LADDER["rungs"]}
    assert wrong.exit_code == 2
    assert "Did you mean size?" in wrong.output


def test_a_false_group_says_what_in_it_is_false(home):
    """ "any of" that fails tells nothing; the reader wants its parts, with what was seen."""
    anyof = {"any": [{"title": "CEO"}, {"not": {"account.industry": "fintech"}}]}
    rule(home, "grouped", {"all": [{"country": "DE"}, anyof]})

    text = " ".join(run("explain", "person11@company1.example").output.split())

    (after,) = [part for part in text.split("[")[1:] if part.startswith("grouped]")]
    assert "✗ any of: ✗ contact.title is CEO seen: " in after
    assert "✗ not account.industry is fintech" in after
