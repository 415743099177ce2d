from __future__ import annotations

import csv
import json
import os
import socket
from contextlib import ExitStack, suppress

import pytest
import requests

from audiencehub.errors import ConfigError
from audiencehub.sandbox import process
from audiencehub.sandbox.environment import SandboxHost
from audiencehub.settings import Settings


@pytest.fixture
def host(settings, toy_kind):
    return lambda: SandboxHost(settings, {"toy": toy_kind})


def drops(settings) -> set[str]:
    return {path.name for path in (settings.folder / "sandbox" / "drops").iterdir()}


def test_addresses_are_published_while_it_runs_and_only_then(settings, host):
    """Stale addresses would send the next sync to a dead port, or to a stranger's."""
    folder = settings.folder / "sandbox"
    with host().run() as urls:
        assert set(urls) == {"toy", "control"}
        assert process.find(folder) == urls
        assert requests.get(f"{urls['toy']}/people", timeout=5).json() == {"count": 120}
    assert process.find(folder) is None
    assert not (folder / "urls.json").exists()


def test_a_restart_keeps_what_was_written_and_the_day(settings, host):
    """The second sync differs from the first only if the fakes remember between them."""
    with host().run() as urls:
        requests.put(f"{urls['toy']}/notes/1", json={"text": "kept"}, timeout=5)
        process.next_day(urls)
        now = process.now(urls)
    with host().run() as urls:
        notes = requests.get(f"{urls['toy']}/notes", timeout=5).json()["results"]
        assert [one["text"] for one in notes] == ["kept"]
        assert process.now(urls) == now
        assert process.writes(urls, "toy") == [{"member": "1", "op": "set"}]


def test_a_day_passes_everywhere_at_once(settings, host):
    """Clock, records and files must tell of the same day, or facts come from the future."""
    with host().run() as urls:
        first = drops(settings)
        assert {"events-2026-11-16.jsonl", "intent-2026-11-02.csv"} <= first
        answer = process.next_day(urls)
        assert (answer["now"], answer["day"]) == ("2026-11-17T09:00:00+00:00", 1)
        assert set(answer["files"]) == drops(settings) - first
        assert "intent-2026-11-09.csv" in answer["files"]
        assert requests.get(f"{urls['toy']}/people", timeout=5).json()["count"] > 120


def test_a_day_cut_short_is_made_up_for_at_the_next_start(settings, host, toy_kind, monkeypatch):
    """A kill between clock and records would otherwise lose a day's changes for ever."""
    with monkeypatch.context() as patch, host().run() as urls:

        def die(*_):
            raise RuntimeError("killed")

        patch.setattr(toy_kind, "advance", die)
        requests.post(f"{urls['control']}/__next_day", timeout=5)
    with host().run() as urls:
        assert process.now(urls).day == 17
        assert "events-2026-11-17.jsonl" in drops(settings)
        assert requests.get(f"{urls['toy']}/people", timeout=5).json()["count"] > 120


def test_drop_files_hold_every_record_once(settings, host):
    """A record in two files is counted twice, one in none is lost."""
    running = host()
    with running.run() as urls:
        process.next_day(urls)
        company = running.company
    folder = settings.folder / "sandbox" / "drops"
    lines = [line for path in sorted(folder.glob("events-*")) for line in path.open("rb")]
    assert [json.loads(line)["key"] for line in lines] == [one.key for one in company.events]
    weeks = [row for path in folder.glob("intent-*") for row in csv.reader(path.open())]
    assert len(weeks) == len(company.surges)
    assert {len(row) for row in weeks} == {9}
    rows = [row for path in folder.glob("orders-*") for row in csv.DictReader(path.open())]
    assert sorted(row["key"] for row in rows) == sorted(one.key for one in company.orders)
    grown = {"lines": company.order_lines, "surveys": company.survey_answers}
    for name, records in grown.items():
        rows = [row for path in folder.glob(f"{name}-*") for row in csv.DictReader(path.open())]
        assert len(rows) == len(records) > 0
    sent = [line for path in folder.glob("email-*") for line in path.open("rb")]
    assert len(sent) == len(company.email_actions)
    assert not list(folder.glob(".*"))


def test_what_changed_comes_again_in_the_files_of_the_day(settings, host):
    """A ticket that was solved and stays open in the hub is chased for ever."""
    running = host()
    folder, came = settings.folder / "sandbox" / "drops", 0
    with running.run() as urls:
        for day in range(17, 27):
            before = running.company
            process.next_day(urls)
            for part in ("subscriptions", "tickets"):
                known = set(getattr(before, part))
                news = {one.key for one in getattr(running.company, part) if one not in known}
                path = folder / f"{part}-2026-11-{day}.csv"
                rows = list(csv.DictReader(path.open())) if news else []
                assert {row["key"] for row in rows} == news
                came += len(news & {one.key for one in getattr(before, part)})
    assert came


def test_reset_is_the_first_morning_again(settings, host):
    """A demo must be repeatable without hunting for files to delete."""
    with host().run() as urls:
        before = drops(settings)
        requests.put(f"{urls['toy']}/notes/1", json={"text": "x"}, timeout=5)
        process.next_day(urls)
        process.fault(urls, "toy", status=500, times=99)
        assert process.reset(urls)["day"] == 0
        assert requests.get(f"{urls['toy']}/notes", timeout=5).json()["results"] == []
        assert requests.get(f"{urls['toy']}/people", timeout=5).json() == {"count": 120}
        assert process.writes(urls, "toy") == []
        assert drops(settings) == before


def test_faults_can_be_set_and_cleared_from_outside(host):
    """The demo and the crash tests script the fakes through these helpers."""
    with host().run() as urls:
        process.fault(urls, "toy", status=503, times=9)
        assert requests.get(f"{urls['toy']}/notes", timeout=5).status_code == 503
        process.clear_faults(urls, "toy")
        assert requests.get(f"{urls['toy']}/notes", timeout=5).ok


def test_a_second_host_of_the_same_folder_is_refused(host):
    """Two processes on one state would overwrite each other's records."""
    with host().run(), pytest.raises(ConfigError, match="running already"), host().run():
        pass


def test_another_world_in_the_same_folder_is_refused(settings, host, toy_kind):
    """Silently mixing two companies would make every later diff nonsense."""
    with host().run():
        pass
    world = settings.sandbox.model_copy(update={"seed": 8})
    other = settings.model_copy(update={"sandbox": world})
    with pytest.raises(ConfigError, match="another"), SandboxHost(other, {"toy": toy_kind}).run():
        pass


def test_an_environment_without_sandbox_has_no_fakes(tmp_path):
    """Fakes must never start beside a production environment."""
    with pytest.raises(ConfigError, match="no sandbox"):
        SandboxHost(Settings(company={"name": "x"}, root=tmp_path), {})


def two_free_ports():
    """The first of two that nobody has, below those that the system gives out by itself."""
    for base in range(20_000 + os.getpid() % 5_000 * 2, 32_000, 2):
        with ExitStack() as stack, suppress(OSError):
            for port in (base, base + 1):
                probe = stack.enter_context(socket.socket())
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            return base
    raise AssertionError("no two ports are free")


def test_fixed_ports_follow_the_base(host):
    """People bookmark the addresses they gave."""
    base = two_free_ports()
    with host().run(base) as urls:
        assert urls == {
            "control": f"http://127.0.0.1:{base}",
            "toy": f"http://127.0.0.1:{base + 1}",
        }
