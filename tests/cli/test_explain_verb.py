"""The verb explain on near misses, of people and of companies, with their traits."""

from __future__ import annotations

import pytest

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
