"""The nightly run: everyone is evaluated again, and what changes alone had missed is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audiencehub.opening import open_hub
from audiencehub.pipeline import Caller, SyncOptions, SyncResult, run_sync
from audiencehub.settings import Settings, load
from tests.cli.small import project, rule


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Settings]:
    """Three people, two of them at one company, and a rule that takes those."""
    folder = project(tmp_path)
    (folder / "drops").mkdir()
    (folder / "drops" / "people.csv").write_text("E-mail\na@x.example\nb@x.example\nc@y.example\n")
    rule(folder, "at_x", {"contact.email": {"ends_with": "@x.example"}})
    return load("sandbox", folder)


def run(settings: Settings, *, full: bool = False, spoil: bool = False) -> SyncResult:
    with open_hub(settings, args={"full": full}) as hub:
        if spoil:
            # What a run that had overlooked somebody would leave: out of the mask and of the list.
            connection = hub.warehouse.connection
            ((word,),) = connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name ="
                " 'member_contact' AND column_name <> 'contact_id'"
            ).fetchall()
            ((number,),) = connection.execute(
                f"SELECT min(contact_id) FROM member_contact WHERE {word} <> 0"
            ).fetchall()
            connection.execute(
                f"UPDATE member_contact SET {word} = 0 WHERE contact_id = ?", [number]
            )
            hub.ledger._db.run("DELETE FROM membership WHERE id=?", (number,))
        return run_sync(hub, SyncOptions(full=full), Caller())


def standing(settings: Settings) -> tuple[int, list[tuple[str, str]]]:
    """Members of the segment, and the alerts about evaluations."""
    with open_hub(settings, kind="look") as hub:
        members = hub.ledger.membership.current("contact").get("at_x", {})
        states = hub.ledger.alerts.states(settings.env).values()
        return len(members), [(a.state, a.text) for a in states if a.kind == "evaluation"]


def test_a_difference_is_a_problem_an_alert_and_mended(shop: Settings) -> None:
    """If this fails, whom the evaluation by changes overlooked stays overlooked for ever."""
    first = run(shop)
    hourly = run(shop, spoil=True)
    assert (hourly.state, standing(shop)) == ("completed", (1, []))

    night = run(shop, full=True)

    members, alerts = standing(shop)
    assert night.summary["recheck"]["differing"] == {"at_x": [1, 0]}
    assert (night.state, night.exit_code) == ("failed", 1)
    assert "differs" in night.problems[0] and "at_x +1 −0" in night.problems[0]
    assert (first.summary["segment"]["sizes"]["at_x"], members) == (2, 2)
    assert [state for state, _ in alerts] == ["critical"]
    assert "1 segments: at_x" in alerts[0][1]


def test_an_ordinary_night_says_nothing_and_ends_the_alert(shop: Settings) -> None:
    """A comparison that cries every night is switched off by the end of the week."""
    run(shop)
    run(shop, spoil=True)
    run(shop, full=True)

    again = run(shop, full=True)

    assert again.summary["recheck"]["differing"] == {}
    assert (again.state, again.problems) == ("completed", [])
    assert [state for state, _ in standing(shop)[1]] in (["recovered"], [])


def test_the_nightly_deployment_asks_for_it() -> None:
    """Else the comparison exists and nothing runs it."""
    from audiencehub.server.prefect_yaml import read
    from tests.cli.small import ROOT

    names = ("WORK_POOL", "HOME", "ENV", "TIMEZONE")
    environment = {f"AUDIENCEHUB_{name}": "UTC" for name in names}
    document, faults = read(ROOT, environment)

    assert document is not None and not faults
    nightly = next(one for one in document.deployments if one.name == "sync-nightly-full")
    assert nightly.parameters["full"] is True
