from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audiencehub.errors import ConfigError
from audiencehub.sandbox import process
from audiencehub.sandbox.environment import SandboxHost, held

HERE = Path(__file__).parent
HOST = """
import sys, threading
sys.path[:0] = [{here!r}, *{path!r}]
from toy import Toy
from audiencehub.settings import Settings
from audiencehub.sandbox.environment import SandboxHost
from audiencehub.sandbox.process import on_end_of_input
settings = Settings.model_validate_json(sys.argv[1])
stop = threading.Event()
on_end_of_input(stop.set)
with SandboxHost(settings, {{"toy": Toy}}).run():
    stop.wait()
"""
PARENT = """
import sys
sys.path[:0] = {path!r}
from audiencehub.settings import Settings
from audiencehub.sandbox.process import ensure_running
with ensure_running(Settings.model_validate_json(sys.argv[1]), sys.argv[2:]) as urls:
    print(urls["control"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def command(settings) -> list[str]:
    script = HOST.format(here=str(HERE), path=sys.path)
    return [sys.executable, "-c", script, settings.model_dump_json()]


def until(condition, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_it_is_started_for_the_block_and_gone_after_it(settings, command):
    """A run that leaves its fakes behind eats memory and holds ports for ever."""
    folder = settings.folder / "sandbox"
    with process.ensure_running(settings, command) as urls:
        assert process.now(urls).isoformat() == "2026-11-16T09:00:00+00:00"
        assert process.find(folder) == urls
    assert process.find(folder) is None
    assert not held(folder)


def test_a_running_one_is_used_and_left_running(settings, toy_kind):
    """Starting a second one beside a sandbox that a person watches would split the world."""
    with SandboxHost(settings, {"toy": toy_kind}).run() as mine:
        with process.ensure_running(settings, ["/bin/false"]) as urls:
            assert urls == mine
        assert process.now(mine)


def test_addresses_of_a_dead_one_are_not_believed(settings, command):
    """After a kill -9 the file still names ports that now may belong to anybody."""
    folder = settings.folder / "sandbox"
    folder.mkdir(parents=True)
    (folder / "urls.json").write_text('{"control": "http://127.0.0.1:9", "toy": "", "pid": 1}')
    with process.ensure_running(settings, command) as urls:
        assert urls["control"] != "http://127.0.0.1:9"


def test_one_that_cannot_start_says_where_to_look(settings):
    """Without the log's place a person can only guess."""
    with (
        pytest.raises(ConfigError, match=r"sandbox\.log"),
        process.ensure_running(settings, [sys.executable, "-c", "raise SystemExit('no port')"]),
    ):
        pass


def test_killing_the_parent_ends_the_sandbox(settings, command):
    """An orphan would hold the state of the environment against the next run."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(path=sys.path), settings.model_dump_json(), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout.readline().startswith("http://")
    folder = settings.folder / "sandbox"
    assert held(folder)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert until(lambda: not held(folder)), "the sandbox outlived its parent"
    assert process.find(folder) is None
