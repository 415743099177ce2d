"""CONTRIBUTING's recipe is run as it stands: its blocks become files, and the files a connector."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from audiencehub.sandbox.company import generate
from audiencehub.sandbox.store import Store

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```\w+ (\S+)\n(.*?)^```", re.M | re.S)
CONTACTS, ACCOUNTS, SEED = 300, 40, 20261116
RULE = """\
segment: managers
label: Managers
model: firmographic
of: contact
goal: Nobody who manages is asked for their manager
action: Leave the referral question out
owner: revops@acme.example
review_by: 2027-06-01
when:
  title: {{matches: "(?i)manager|director|head"}}
activate:
{activate}
examples:
  - {{given: {{contact: {{title: Head of Growth}}}}, member: true}}
  - {{given: {{contact: {{title: Accountant}}}}, member: false}}
"""
TESTS = "tests/contract/test_toy_crm.py"
Run = Callable[..., subprocess.CompletedProcess[str]]


def recipe() -> tuple[dict[str, str], str]:
    """File name to text, and the line that a rule needs."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = re.search(r"^## Add a connector\n(.*?)(?=^## )", page, re.M | re.S)[1]
    return dict(FENCE.findall(section)), re.search(r"^```yaml\n(.*?)^```", section, re.M | re.S)[1]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, smaller, with what the recipe adds to it."""
    made = tmp_path_factory.mktemp("project")
    for folder in ("connectors", "deployments"):
        shutil.copytree(ROOT / folder, made / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (made / "audiencehub").symlink_to(ROOT / "audiencehub")
    (made / "tests").mkdir()
    for file in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / file, made / file)
    files, line = recipe()
    for name, text in files.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        with (made / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}" if name.endswith(".toml") else text)
    _edit(made / "deployments/sandbox.toml", "contacts = 5000", f"contacts = {CONTACTS}")
    _edit(made / "deployments/sandbox.toml", "accounts = 600", f"accounts = {ACCOUNTS}")
    (made / "segment_rules").mkdir()
    (made / "segment_rules/managers.yaml").write_text(RULE.format(activate=line), "utf-8")
    return made


@pytest.fixture
def run(project: Path) -> Run:
    """Runs a module in the project, as a person there would."""

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=project,
            env={**os.environ, "AUDIENCEHUB_HOME": str(project), "PYTHONPATH": str(project)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return call


def test_the_recipe_adds_one_folder_and_one_entry(project: Path, run: Run) -> None:
    """A connector that needs more than its folder is not added in an afternoon."""
    files = set(recipe()[0])
    outside = {name for name in files if not name.startswith("connectors/toy_crm/")}
    assert outside == {"tests/contract/test_toy_crm.py", "deployments/sandbox.toml"}
    assert not (ROOT / "connectors/toy_crm").exists()

    listed = run("audiencehub.cli.main", "connectors")
    assert "toy_crm" in listed.stdout, listed.stderr


def test_the_recipe_is_written_as_the_house_asks(project: Path, run: Run) -> None:
    """An example that the checks refuse teaches what they refuse."""
    names = [name for name in recipe()[0] if name.endswith(".py")]
    for words in (("check",), ("format", "--check", "--diff")):
        done = run("ruff", *words, "--no-cache", *names)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_toy_keeps_the_contracts(run: Run) -> None:
    """The suites that a connector inherits must hold for one that does as it is told."""
    done = run("pytest", TESTS, "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 30


@pytest.mark.verify
def test_the_suites_notice_what_is_broken(project: Path, run: Run) -> None:
    """A suite that also passes for a connector with a fault in it proves nothing."""
    source = project / "connectors/toy_crm/source.py"
    writer = project / "connectors/toy_crm/destination.py"
    for file, right, wrong, test in (
        (source, "values, at, gone", "values, at", "test_changes_arrive"),
        (source, '"since": newest', '"since": "9999"', "test_changes_arrive"),
        (writer, ", writes=True", "", "test_a_lost_answer"),
    ):
        kept = file.read_text("utf-8")
        assert right in kept
        file.write_text(kept.replace(right, wrong), "utf-8")
        try:
            done = run(
                "pytest", "tests/contract/test_toy_crm.py", "-k", test, "-p", "no:cacheprovider"
            )
        finally:
            file.write_text(kept, "utf-8")
        assert done.returncode == 1, f"{wrong!r} goes unnoticed: {done.stdout[-2000:]}"


@pytest.mark.verify
def test_a_sync_lands_its_people_and_brings_its_tags(project: Path, run: Run) -> None:
    """A connector that keeps its contract and is not reached by the pipeline is of no use."""
    hub = "audiencehub.cli.main"
    held = run(hub, "sync", "--only", "toy_crm", "--no-prefect", "--quiet", "--json")
    assert held.returncode == 3, held.stdout + held.stderr
    (plan,) = json.loads(held.stdout)["held"]
    approved = run(hub, "approve", plan, "--reason", "the recipe")
    assert approved.returncode == 0, approved.stdout + approved.stderr
    applied = run(hub, "apply", plan, "--no-prefect", "--quiet")
    assert applied.returncode == 0, applied.stdout + applied.stderr

    home = project / ".audiencehub/sandbox"
    people = [one for one in generate(SEED, CONTACTS, ACCOUNTS).contacts if one.crm == "hubspot"]
    there = {one.key for one in people if not one.deleted and one.merged_into is None}
    with duckdb.connect(str(home / "hub.duckdb"), read_only=True) as warehouse:
        landed = warehouse.execute(
            "SELECT source_id FROM source_contact WHERE source = 'toy_crm' AND NOT deleted"
        ).fetchall()
        members = warehouse.execute(
            "SELECT r.source_id FROM member m JOIN record_map r ON r.entity = m.entity "
            "AND r.id = m.id WHERE r.source = 'toy_crm' AND m.segment = 'managers'"
        ).fetchall()
    with closing(Store(home / "sandbox/toy_crm.sqlite")) as store:
        tagged = {key: one for key, one in store.table("person").items() if one["tags"]}
    assert {key for (key,) in landed} == there
    assert set(tagged) == {key for (key,) in members}
    assert tagged and all(one["reason"] for one in tagged.values())


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text, f"{path.name} no longer says {old!r}"
    path.write_text(text.replace(old, new, 1), "utf-8")
