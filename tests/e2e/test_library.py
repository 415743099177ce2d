"""The shipped rules on the demo company at its full size."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from audiencehub.rules import load
from audiencehub.sandbox import process
from tests.e2e.project import REPOSITORY, Project

FULL = {"contacts": 5000, "accounts": 600}
MOST = 0.6


@pytest.fixture(scope="module")
def second_morning(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the sync of the second day says of segments; nothing was sent, all plans are held."""
    project = Project.make(tmp_path_factory.mktemp("library") / "demo", world=FULL, library=True)
    with project.sandbox() as urls:
        project.sync("--quiet", "--no-prefect", code=3)
        process.next_day(urls)
        said = project.json("sync", "--quiet", "--no-prefect", code=3)
    found: dict[str, Any] = said["summary"]["segment"]
    return found


@pytest.mark.verify
def test_every_shipped_segment_selects_a_sensible_share(second_morning):
    """A segment of everyone or of no one shows a newcomer that rules do not work."""
    book = load(REPOSITORY / "segment_rules", zone=ZoneInfo("UTC"))
    shares = {
        name: second_morning["sizes"][name] / second_morning["totals"][one.of]
        for name, one in book.segments.items()
    }

    assert {name: share for name, share in shares.items() if not 0 < share <= MOST} == {}


@pytest.mark.verify
def test_every_model_is_better_than_a_coin(second_morning):
    """Sales would call in the order of a score that means nothing."""
    assert len(second_morning["models"]) == 2
    for line in second_morning["models"]:
        assert float(line.partition("AUC ")[2][:4]) > 0.7, line
