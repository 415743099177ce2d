"""Plans of the demo company against what then happened: rows, calls, and what a person reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from audiencehub.cli import planned
from audiencehub.ledger import Ledger
from audiencehub.opening import open_hub, sandbox_command
from audiencehub.pipeline import Caller, SyncOptions, SyncResult, run_apply, run_sync
from audiencehub.sandbox import process
from audiencehub.sandbox.clock import START
from audiencehub.settings import Settings
from tests.flows.conftest import small_project

pytestmark = [pytest.mark.verify, pytest.mark.timeout(300)]


@dataclass
class Days:
    """A first run, which is held; its plans applied; and a run on each of two days after."""

    settings: Settings
    first: SyncResult
    applied: SyncResult
    later: list[SyncResult]

    def pairs(self) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
        """The plans of a target that were sent, and what its push came to."""
        told = [(self.first, self.applied), *((one, one) for one in self.later)]
        for plans, sent in told:
            for pushed in sent.summary["pushed"]:
                target = pushed["target"]
                yield [one for one in plans.summary["plans"] if one["target"] == target], pushed


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    settings = small_project(tmp_path_factory.mktemp("plans"))
    with process.ensure_running(settings, sandbox_command(settings)) as urls:
        first = _sync(settings)
        ledger = Ledger.open(settings.folder)
        for plan in first.held:
            ledger.plans.approve(plan, "a test", "looked at", START + timedelta(hours=1))
        ledger.close()
        with open_hub(settings, kind="apply") as hub:
            applied = run_apply(hub, first.held, Caller())
        later = []
        for _ in range(2):
            process.next_day(urls)
            later.append(_sync(settings))
        yield Days(settings, first, applied, later)


def _sync(settings: Settings) -> SyncResult:
    with open_hub(settings) as hub:
        return run_sync(hub, SyncOptions(), Caller())


def test_planned_rows_are_confirmed_rows(days: Days) -> None:
    """If this fails, an approver approves another number of writes than is made."""
    assert days.applied.problems == []
    rows = 0
    for plans, pushed in days.pairs():
        sent = {one["plan_id"]: one for one in plans if one["plan_id"] in pushed["plans"]}
        for plan_id, verdicts in pushed["plans"].items():
            assert verdicts == {"confirmed": sent[plan_id]["writes"]}, plan_id
        assert pushed["confirmed"] == sum(one["writes"] for one in sent.values())
        rows += pushed["confirmed"]
    assert rows > 50


def test_calls_stay_below_the_bound_and_close_to_it(days: Days) -> None:
    """If this fails, the plan promises a quota that its push does not keep to, or scares with one
    that nobody needs."""
    for plans, pushed in days.pairs():
        bound = sum(one["calls"] for one in plans)
        assert pushed["api_calls"] <= bound, pushed["target"]
        # Two plans of one target share a login and a read-back.
        assert bound <= 2 * pushed["api_calls"] + 4, pushed["target"]


def test_every_plan_tells_quota_guards_and_clauses(days: Days) -> None:
    """If this fails, `plan` says how many, and not why, nor whether there is room."""
    plans = [one for one in days.first.summary["plans"] if one["plan_id"]]
    told = {one["target"].partition("/")[0]: one["quota"] for one in plans}

    assert {name: quota["unit"] for name, quota in told.items()} == {
        "salesforce": "calls",
        "hubspot": "calls",
        "meta_ads": "percent",
    }
    assert all(quota["remaining"] > 0 and quota["age_hours"] == 0 for quota in told.values())
    for plan in plans:
        names = {guard["name"] for guard in plan["guards"]}
        assert {"first_run", "removals", "adds", "rejects", "quota"} <= names
        assert sum(one["enters"] for one in plan["movement"]) == plan["adds"]
        assert sum(one["leaves"] for one in plan["movement"]) == plan["removes"]
        assert all(text for one in plan["movement"] for text, _ in one["entered_by"])
    reasons = {why for one in plans for why in one["excluded"]}
    assert {"no_consent", "consent_denied"} <= reasons


def test_a_terminal_of_a_hundred_columns_shows_it(
    days: Days, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails, the table that is to be approved is folded into rubble."""
    runs = [days.first, *days.later]
    for run in runs:
        plans = run.summary["plans"]
        planned.plans(plans)
        for one in plans:
            planned.details(one, everything=False)
            planned.details(one, everything=True)
        planned.pushed(run.summary["pushed"], plans)
    shown = capsys.readouterr().out

    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 100
    assert "because" in shown and "guards passed: " in shown and "API requests left" in shown
    assert "hold  first_run: the first plan of this target" in shown
