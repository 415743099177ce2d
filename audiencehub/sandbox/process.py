"""Finds the sandbox of an environment, or starts it as a process that cannot outlive its parent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from audiencehub.errors import ConfigError, Wait
from audiencehub.sandbox.environment import CONTROL, held
from audiencehub.settings import Settings

Urls = Mapping[str, str]
"""`{vendor: url, "control": url}`."""

_START_SECONDS = 120
_STOP_SECONDS = 10
_ASK_SECONDS = 60


@contextmanager
def ensure_running(settings: Settings, command: Sequence[str]) -> Iterator[Urls]:
    """The addresses of the environment's fakes while the block runs.

    A running sandbox is used and left running; else `command` is started for the duration (it must
    end when its standard input does: `--leash`). Raises ConfigError when it cannot start, with the
    place of its log.
    """
    folder = settings.folder / "sandbox"
    running = find(folder)
    if running is not None:
        yield running
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / "sandbox.log"
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 - the caller's own command, no shell
            list(command),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, "AUDIENCEHUB_HOME": str(settings.root)},
            start_new_session=True,
        )
    try:
        yield _wait_for(folder, child, log)
    finally:
        _stop(child)


def find(folder: Path) -> Urls | None:
    """The addresses of the sandbox that serves this folder; None when none answers."""
    try:
        document = json.loads((folder / "urls.json").read_text("utf-8"))
        answer = _send("GET", f"{document[CONTROL]}/__urls", seconds=5).json()
    except (OSError, ValueError, KeyError):
        return None
    if answer != document:  # another program may listen there by now
        return None
    return {name: url for name, url in document.items() if name != "pid"}


def now(urls: Urls) -> datetime:
    """The sandbox's time, UTC."""
    return datetime.fromisoformat(_ask("GET", urls[CONTROL], "__clock")["now"])


def next_day(urls: Urls) -> dict[str, Any]:
    """Lets a day pass: `{"now", "day", "files"}`."""
    return dict(_ask("POST", urls[CONTROL], "__next_day"))


def reset(urls: Urls) -> dict[str, Any]:
    """Back to the first morning: `{"now", "day"}`."""
    return dict(_ask("POST", urls[CONTROL], "__reset"))


def fault(urls: Urls, vendor: str, **what: Any) -> None:
    """Adds one fault (`faults.Fault`) to a vendor's script."""
    _ask("POST", urls[vendor], "__faults", [what])


def clear_faults(urls: Urls, vendor: str) -> None:
    """Forgets a vendor's faults."""
    _ask("DELETE", urls[vendor], "__faults")


def writes(urls: Urls, vendor: str) -> list[dict[str, Any]]:
    """Every record a vendor was told to write, oldest first: `{"member", "op", …}`."""
    return list(_ask("GET", urls[vendor], "__writes"))


def on_end_of_input(then: Callable[[], None]) -> None:
    """Calls `then`, from another thread, when standard input ends: the parent is gone."""

    def read() -> None:
        with suppress(OSError, ValueError):
            while sys.stdin.buffer.read(4096):
                pass
        then()

    threading.Thread(target=read, name="leash", daemon=True).start()


def _ask(method: str, url: str, path: str, body: Any = None) -> Any:
    try:
        reply = _send(method, f"{url}/{path}", body)
        reply.raise_for_status()
        return reply.json() if reply.content else None
    except (requests.RequestException, ValueError) as error:
        raise Wait(
            f"The sandbox did not answer {method} /{path} ({type(error).__name__}).",
            hint="Start it anew: audiencehub sandbox",
        ) from None


def _send(
    method: str, url: str, body: Any = None, seconds: float = _ASK_SECONDS
) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the machine's must not be asked for loopback
        return session.request(method, url, json=body, timeout=seconds)


def _wait_for(folder: Path, child: subprocess.Popen[bytes], log: Path) -> Urls:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        urls = find(folder)
        if urls is not None:
            return urls
        # Ended because another process was first? Then that one's sandbox is as good.
        if child.poll() is not None and not held(folder) and find(folder) is None:
            break
        time.sleep(0.03)
    raise ConfigError(
        f"The sandbox did not start: {_last_words(log)}",
        hint=f"Read {log}, or run audiencehub sandbox to see why",
    )


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines()]
    return next((line for line in lines[::-1] if line and not line.startswith("->")), "no output")


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        with suppress(OSError):
            child.stdin.close()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
