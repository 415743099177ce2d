"""The ledger is gone, or the whole folder is an older one: through the commands, at all three
vendors, nobody is removed before somebody looked, and then all is as it should be."""

from __future__ import annotations

import shutil

import pytest

from tests.e2e import fakes

pytestmark = [pytest.mark.fault(20), pytest.mark.verify]
STORES = ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.stamp", "install.key")


def lose(project):
    for name in STORES[:3]:
        (project.folder / name).unlink(missing_ok=True)


def test_a_lost_ledger_is_adopted_and_nobody_is_removed(pushed, tmp_path):
    """The README's own commands after the worst day."""
    project = pushed.copy(tmp_path / "lost")
    before = fakes.state(project)
    lose(project)

    first = project.sync("--quiet", code=1)
    assert "audiencehub adopt" in first.text
    assert fakes.state(project) == before
    assert project.run("approve", "all", "--reason", "go", code=2).text.count("audiencehub adopt")

    done = project.json("adopt", "all")
    assert not done["failed"]
    states = {one["target"]: one["state"] for one in done["targets"]}
    assert {state for name, state in states.items() if "/tags" in name} == {"whole"}
    assert {state for name, state in states.items() if "/list/" in name} == {"additive"}
    assert project.sync("--quiet").code == 0
    after = fakes.state(project)
    assert fakes.taken(before, after) == []
    assert after.segments() == before.segments()


def test_a_whole_folder_put_back_is_told_by_hubspot_and_meta(pushed, second_day, tmp_path):
    """Yesterday's ledger, stamp and key agree with each other: only the vendors know better."""
    project = second_day.copy(tmp_path / "older")
    before = fakes.state(project)
    lose(project)
    for name in STORES:
        if (pushed.folder / name).exists():
            shutil.copy(pushed.folder / name, project.folder / name)

    done = project.sync("--quiet", code=1)

    assert "older copy" in " ".join(done.text.split())
    assert fakes.taken(before, fakes.state(project)) == []
    project.run("adopt", "all", "--quiet")
    project.run("push", "--resync", "--quiet", code=None)
    after = fakes.state(project)
    assert after.segments() == before.segments()
