"""Worlds that several tests begin from, each made once: copy one, never change it."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiencehub.sandbox import process
from tests.e2e import people
from tests.e2e.project import EVERYTHING_GOES, Project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives the whole product."""
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.path).parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shared worlds lie."""
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture(scope="session")
def morning(worlds: Path) -> Project:
    """The first morning: fakes are seeded, nothing was read, no guard holds."""
    project = Project.make(worlds / "morning", EVERYTHING_GOES)
    with project.sandbox():
        pass
    return project


@pytest.fixture(scope="session")
def pushed(morning: Project, worlds: Path) -> Project:
    """The first day is done: everything was sent."""
    project = morning.copy(worlds / "pushed")
    project.sync("--quiet")
    return project


@pytest.fixture(scope="session")
def tomorrow(pushed: Project, worlds: Path) -> Project:
    """The second morning: about 3 % has changed, some companies have outgrown a segment, and
    nothing was read of it yet."""
    project = pushed.copy(worlds / "tomorrow")
    with project.sandbox() as urls:
        process.next_day(urls)
        people.outgrow(project, urls, "mid_market_decision_makers")
    return project


@pytest.fixture(scope="session")
def second_day(tomorrow: Project, worlds: Path) -> Project:
    """The second day is done."""
    project = tomorrow.copy(worlds / "second-day")
    project.sync("--quiet")
    return project
