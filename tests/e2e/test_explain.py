"""Questions are answered while a sync is under way, from the copy that was published last."""

from __future__ import annotations

import signal
from contextlib import contextmanager

import pytest

from tests.e2e import fakes

MOMENTS = ("segment contacts", "pull hubspot/contact", "push hubspot/contact/tags")


@contextmanager
def stopped(project, moment):
    """A sync that stands still at a moment, everything open, while the block runs; then goes on."""
    running = project.start("sync", "--no-prefect")
    assert running.stderr
    said = []
    for line in running.stderr:
        said.append(line)
        if moment in line:
            break
    running.send_signal(signal.SIGSTOP)
    try:
        assert running.poll() is None, "".join(said)
        yield
    finally:
        running.send_signal(signal.SIGCONT)
        out, err = running.communicate(timeout=240)
    assert running.returncode == 0, out + err


@pytest.mark.verify
@pytest.mark.parametrize(
    "moment", [MOMENTS[0], *(pytest.param(one, marks=pytest.mark.verify) for one in MOMENTS[1:])]
)
def test_explain_answers_in_the_middle_of_a_sync(tomorrow, tmp_path, moment):
    """If a run locks readers out, nobody can ask why while the hourly sync goes on."""
    project = tomorrow.copy(tmp_path / "asked")
    held = sorted(fakes.state(project).segments().items())
    record = next(
        key for (_, kind, key), tags in held if kind == "contacts" and "active_customers" in tags
    )
    before = project.json("explain", record)

    with stopped(project, moment):
        during = project.json("explain", record)
        shown = project.run("explain", record, "--segment", "active_customers")

    after = project.json("explain", record)
    assert after["published"] > before["published"]
    assert during in (before, after), "neither yesterday's answer nor today's"
    assert "active_customers" in shown.out


@pytest.mark.verify
def test_a_second_sync_meanwhile_waits_for_its_turn(tomorrow, tmp_path):
    """Two runs at once would write each other's warehouse; the later one must say so and stop."""
    project = tomorrow.copy(tmp_path / "asked")

    with project.sandbox(), stopped(project, MOMENTS[1]):
        second = project.sync(code=1)

    assert "Another run" in second.err
    assert "Traceback" not in second.text


def test_explain_names_clauses_values_and_the_nearest_flip(pushed):
    """An answer without the values seen, and what would change it, is no answer."""
    held = sorted(fakes.state(pushed).segments().items())
    record = next(
        key
        for (_, kind, key), tags in held
        if kind == "contacts" and tags == {"mid_market_decision_makers"}
    )
    found = pushed.json("explain", record)
    by_name = {one["segment"]: one for one in found["segments"]}

    assert by_name["mid_market_decision_makers"]["matches"] is True
    assert by_name["pricing_page_interest"]["matches"] is False
    said = pushed.run("explain", record).out
    assert "employee_count" in said
    assert "to enter:" in said
