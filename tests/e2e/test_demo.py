"""`audiencehub demo`: the first thing that anybody sees."""

from __future__ import annotations

import re

import pytest

from tests.e2e.project import Project

COLUMNS = 100


def as_told(project: Project) -> None:
    """The story in its order, whole, and narrow enough for a terminal."""
    done = project.run("demo")

    assert "Traceback" not in done.text
    places = [
        done.out.find(words)
        for words in (
            "Plan of the first run",
            "audiencehub approve",
            "Approved: exactly that plan is sent",
            "Plan of the second day: only differences",
            "Both agree: only differences went out.",
            "One person explained",
            "Where to look next",
        )
    ]
    assert -1 not in places, places
    assert places == sorted(places)
    assert "held: the first plan" in done.out
    assert re.search(r"IN|matches|member", done.out[places[5] :])
    wide = [line for line in done.out.splitlines() if len(line) > COLUMNS]
    paths = [line for line in wide if str(project.root) in line]
    assert [line for line in wide if line not in paths] == []
    assert "pull hubspot/contact" in done.err, "no progress is shown"


@pytest.mark.verify
def test_the_demo_tells_its_story_and_again(tmp_path):
    """A first run that fails, or leaves something in the way of a second, is the last one."""
    project = Project.make(tmp_path / "demo")
    as_told(project)
    project.run("sync", "--no-prefect", "--quiet")


@pytest.mark.verify
def test_the_demo_at_its_full_size(tmp_path):
    """The sizes that `make demo` really has: 5,000 contacts."""
    project = Project.make(tmp_path / "demo", world={}, library=True)
    as_told(project)
