"""The verbs check and test, as a person types them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from audiencehub.cli import rules

ROOT = Path(__file__).parents[2]
SETTINGS = """
[company]
name = "Test"
timezone = "Europe/Berlin"
"""
RULE = """\
segment: {name}
label: L
model: intent
of: account
when: {when}
examples:
  - {{name: ten, given: {{account: {{employee_count: 10}}}}, member: true}}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with settings, schedules and one rule that is right."""
    schedules(tmp_path)
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "sandbox.toml").write_text(SETTINGS)
    (tmp_path / "segment_rules").mkdir()
    write(tmp_path, "fine", "{employee_count: {at_least: 10}}")
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return tmp_path


def schedules(project):
    shutil.copy(ROOT / "prefect.yaml", project)
    shutil.copytree(ROOT / "flows", project / "flows")


def write(project, name, when):
    (project / "segment_rules" / f"{name}.yaml").write_text(RULE.format(name=name, when=when))


def run(*words):
    app = typer.Typer()
    rules.register(app)
    return CliRunner().invoke(app, list(words))


def test_check_reports_every_fault_and_exits_2(project):
    """Faults of rules and of settings come at once, each with file and line."""
    write(project, "one", "{employe_count: 5}")
    write(project, "two", "{event: {name: x, within: 5}}")

    found = run("check")

    assert found.exit_code == 2
    assert "segment_rules/one.yaml:5:" in found.output
    assert "Did you mean employee_count?" in found.output
    assert "segment_rules/two.yaml:5:" in found.output
    assert "2 faults." in found.output
    assert "Traceback" not in found.output


def test_check_of_wrong_settings_exits_2(project):
    """Settings that cannot be read are a fault like another, not a traceback."""
    (project / "deployments" / "sandbox.toml").write_text("[company]\nnam = 'x'\n")

    found = run("check", "--json")

    assert found.exit_code == 2
    assert any("sandbox.toml" in one["path"] for one in json.loads(found.stdout)["faults"])


def test_check_gives_advice_and_exits_0(project):
    """Advice informs; it must not stop a pipeline."""
    found = run("check")

    assert found.exit_code == 0
    assert "advice:" in found.output
    assert "fine has no goal" in found.output


def test_check_as_json(project):
    """Machines read the same faults as people."""
    write(project, "one", "{employe_count: 5}")

    found = run("check", "--json")

    assert found.exit_code == 2
    assert json.loads(found.stdout)["faults"] == [
        {
            "path": "segment_rules/one.yaml",
            "line": 5,
            "message": "'employe_count' is no condition",
            "hint": "Did you mean employee_count?",
        }
    ]


def test_test_exits_1_and_says_why(project):
    """A red example names its place and the change that would have made it hold."""
    write(project, "red", "{employee_count: {at_least: 12}}")

    found = run("test")

    assert found.exit_code == 1
    assert "segment_rules/red.yaml:7: example 1 of red (ten) is no member" in found.output
    assert "2 more" in found.output
    assert "1 of 2 examples hold." in found.output
    assert run("test", "fine").exit_code == 0


def test_test_of_an_unknown_segment_exits_2(project):
    """A misspelt name must not look like a green run."""
    found = run("test", "fin")

    assert found.exit_code == 2
    assert "no segment 'fin'" in found.output


def test_shipped_project_is_clean(monkeypatch, tmp_path):
    """What is delivered passes its own linter and examples."""
    shutil.copytree(ROOT / "segment_rules", tmp_path / "segment_rules")
    shutil.copytree(ROOT / "deployments", tmp_path / "deployments")
    schedules(tmp_path)
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))

    checked = run("check")
    tested = run("test", "--json", "--as-of", "2026-11-16")

    assert checked.exit_code == 0, checked.output
    assert tested.exit_code == 0
    assert all(one["passed"] for one in json.loads(tested.stdout))
