"""Questions are answered while a sync is under way, from the copy that was published last."""

from __future__ import annotations

import time

from audiencehub.sandbox import process
from tests.e2e import fakes

SECONDS = 8
"""How long the source keeps a sync waiting."""


def test_explain_answers_in_the_middle_of_a_sync(tomorrow, tmp_path):
    """If a run locks readers out, nobody can ask why while the hourly sync goes on."""
    project = tomorrow.copy(tmp_path / "asked")
    record = next(key for (crm, kind, key), held in sorted(fakes.state(project).segments().items())
                  if kind == "contacts" and "pricing_page_interest" in held)  # fmt: skip
    before = project.json("explain", record)

    with project.sandbox() as urls:
        process.fault(urls, "hubspot", path="/contacts", times=1, delay=SECONDS)
        began = time.monotonic()
        running = project.start("sync", "--no-prefect", "--quiet")
        while not list((project.folder / "landing" / ".spool").glob("*/hubspot/*")):
            assert running.poll() is None, "the sync ended before it was asked"
        during = project.json("explain", record)
        shown = project.run("explain", record, "--segment", "pricing_page_interest")
        still = running.poll() is None
        out, err = running.communicate(timeout=120)

    assert still, f"the sync was over: {time.monotonic() - began:.1f} s"
    assert running.returncode == 0, out + err
    assert during == before
    assert "pricing_page_interest" in shown.out
    assert "/pricing" in shown.out
    after = project.json("explain", record)
    assert after["published"] > before["published"]


def test_a_second_sync_meanwhile_waits_for_its_turn(tomorrow, tmp_path):
    """Two runs at once would write each other's warehouse; the later one must say so and stop."""
    project = tomorrow.copy(tmp_path / "asked")

    with project.sandbox() as urls:
        process.fault(urls, "hubspot", path="/contacts", times=1, delay=SECONDS)
        running = project.start("sync", "--no-prefect", "--quiet")
        while not list((project.folder / "landing" / ".spool").glob("*/hubspot/*")):
            assert running.poll() is None
        second = project.sync(code=1)
        out, err = running.communicate(timeout=120)

    assert running.returncode == 0, out + err
    assert "Another run" in second.err
    assert "Traceback" not in second.text


def test_explain_names_clauses_values_and_the_nearest_flip(pushed):
    """An answer without the values seen, and what would change it, is no answer."""
    record = next(key for (crm, kind, key), held in sorted(fakes.state(pushed).segments().items())
                  if kind == "contacts" and held == {"mid_market_decision_makers"})  # fmt: skip
    found = pushed.json("explain", record)
    by_name = {one["segment"]: one for one in found["segments"]}

    assert by_name["mid_market_decision_makers"]["matches"] is True
    assert by_name["pricing_page_interest"]["matches"] is False
    said = pushed.run("explain", record).out
    assert "employee_count" in said
    assert "to enter:" in said
