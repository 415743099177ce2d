"""The verb test: near misses, the clause that decides, traits and rungs."""

from __future__ import annotations

import json

import pytest

from tests.cli.small import answer, project, rule, run

WHEN = {
    "all": [
        {"account.industry": "fintech"},
        {"account.employee_count": {"at_least": 1000}},
        {"not": {"title": "Intern"}},
    ]
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty project."""
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return project(tmp_path)


def example(account, **more):
    return {"given": {"account": account, "contact": {"title": "CFO"}}, **more}


def test_a_near_miss_fails_by_one_clause(home):
    """A rule is sharp where it just does not hold: the example says so and must be one."""
    near = example({"industry": "fintech", "employee_count": 999}, member=False, near_miss=True)
    rule(home, "big", WHEN, examples=[near])

    (found,) = answer("test")

    assert found["passed"]
    assert found["near_miss"]
    assert found["decided_by"] == ["✗ account.employee_count at least 1000 (999)"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"industry": "retail", "employee_count": 9}, "one change alone, not 2"),
        ({"industry": "fintech", "employee_count": 1000}, "is a member"),
    ],
)
def test_what_is_no_near_miss_fails(home, given, said):
    """Two clauses off, or inside: the example proves nothing about the edge."""
    rule(home, "big", WHEN, examples=[example(given, member=False, near_miss=True)])

    found = run("test")

    assert found.exit_code == 1
    assert said in " ".join(found.output.split())


def test_a_near_miss_that_is_a_member_is_a_fault(home):
    """The two contradict each other, whatever the rule says."""
    rule(home, "big", WHEN, examples=[example({}, member=True, near_miss=True)])

    found = run("test")

    assert found.exit_code == 2
    assert "a near miss is no member" in found.output


def test_named_segments_show_every_example_and_what_decides(home):
    """Who asks about one rule wants to see each example decided."""
    rule(
        home,
        "big",
        WHEN,
        examples=[
            {**example({"industry": "fintech", "employee_count": 1000}, member=True), "name": "in"},
            {
                "given": {
                    "account": {"industry": "fintech", "employee_count": 1000},
                    "contact": {"title": "Intern"},
                },
                "member": False,
                "near_miss": True,
            },
        ],
    )

    shown = run("test", "big").output

    assert "✓ account.industry is fintech (fintech)" in shown
    assert "✗ not contact.title is Intern (Intern)" in shown
    assert "near miss" in shown
    assert "2 of 2 examples hold." in shown
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_traits_and_rungs_by_name(home):
    """A trait's examples are tests like a rule's."""
    (home / "segment_rules" / "traits").mkdir()
    (home / "segment_rules" / "traits" / "spend.yaml").write_text(
        "trait: spend\nlabel: L\nof: contact\naggregate: {order: {sum: total}}\n"
        "examples:\n  - {given: {order: [{total: 5}]}, value: 5}\n"
        "  - {given: {}, value: 1}\n"
    )

    found = run("test", "trait.spend", "--json")

    first, second = json.loads(found.stdout)
    assert found.exit_code == 1
    assert (first["segment"], first["passed"], second["passed"]) == ("trait.spend", True, False)
    assert "spend is 0, not 1" in second["why"]


def test_without_examples_it_says_how(home):
    """An empty table teaches nobody."""
    found = run("test")

    assert found.exit_code == 0
    assert "No rule has examples yet." in found.output
