from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

SETTINGS = """
clock = "sandbox"
[company]
name = "Acme Analytics"
[sandbox]
contacts = 60
accounts = 10
[sources.builtwith]
connector = "builtwith"
[sources.shop]
connector = "files"
[sources.shop.options]
preset = "orders_csv"
path = "orders.csv"
"""
APP = """
import typer
from audiencehub.cli import sandbox
app = typer.Typer()
app.callback()(lambda: None)
sandbox.register(app)
app()
"""


@pytest.fixture
def start(tmp_path: Path):
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "sandbox.toml").write_text(SETTINGS)
    (tmp_path / "deployments" / "prod.toml").write_text('[company]\nname = "x"\n')
    paths = os.pathsep.join(sys.path)
    started = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", APP, "sandbox", *arguments],
            env={**os.environ, "AUDIENCEHUB_HOME": str(tmp_path), "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def addresses(root: Path) -> dict:
    path = root / ".audiencehub" / "sandbox" / "sandbox" / "urls.json"
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, "the sandbox never came up"
        time.sleep(0.02)
    return json.loads(path.read_text())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(start, tmp_path, number):
    """A sandbox that ends with an error or leaves its addresses behind misleads the next start."""
    process = start()
    urls = addresses(tmp_path)
    assert set(urls) == {"builtwith", "control", "pid"}
    assert requests.get(f"{urls['control']}/__clock", timeout=5).json()["day"] == 0
    process.send_signal(number)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert urls["builtwith"] in output
    assert f"curl -X POST {urls['control']}/__next_day" in output
    assert not list(tmp_path.rglob("urls.json"))


def test_on_a_leash_it_ends_with_its_input(start, tmp_path):
    """Without the leash a killed run leaves fakes behind that nobody stops."""
    process = start("--leash")
    addresses(tmp_path)
    process.stdin.close()
    assert process.wait(20) == 0


def test_an_environment_without_sandbox_ends_in_one_instruction(start):
    """Asking for fakes in production is a mistake to be told, not a traceback."""
    process = start("--env", "prod")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "no sandbox" in errors
    assert "Traceback" not in errors
