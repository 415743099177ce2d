"""The server is ours alone: no page, no user, no machine beside us reads from it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from audiencehub.errors import Stop
from audiencehub.server import local
from audiencehub.server.local import Access, LocalServer, free_port, start_server
from audiencehub.server.probe import EVIL, assert_closed, open_ways
from audiencehub.server.processes import Leashed
from tests.flows.marker import project, until

pytestmark = pytest.mark.flow


def test_our_server_is_closed(server: LocalServer) -> None:
    """If this fails, any web page the operator opens reads every secret stored in Prefect."""
    assert open_ways(server.access) == []
    for auth in (None, ("audiencehub", "guess")):
        url = f"{server.access.url}/flow_runs/filter"
        assert requests.post(url, json={}, auth=auth, timeout=10).status_code == 401
    assert isinstance(server.access.api().call("POST", "/flow_runs/filter", {}), list)
    preflight = requests.options(
        f"{server.access.url}/block_documents/filter",
        headers={"Origin": EVIL, "Access-Control-Request-Method": "POST"},
        timeout=10,
    )
    assert "access-control-allow-origin" not in preflight.headers


def test_it_listens_on_loopback_only(server: LocalServer) -> None:
    """If this fails, everybody in the same network reaches the server."""
    port = int(server.access.url.split(":")[2].split("/")[0])
    listening = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            local, _, state = line.split()[1:4]
            host, _, number = local.rpartition(":")
            if state == "0A" and int(number, 16) == port:
                listening.add(host)
    assert listening == {"0100007F"}


@pytest.mark.verify
def test_a_port_taken_while_it_starts_costs_a_second_try(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, of two servers started at once one takes the other for itself."""
    taken = int(server.access.url.split(":")[2].split("/")[0])
    answers = [taken]  # as if it had been free when it was looked for
    monkeypatch.setattr(
        local, "free_port", lambda wanted: answers.pop() if answers else free_port(wanted)
    )
    second = start_server(project(tmp_path), lambda _: None, kind="temporary", port=taken)
    try:
        assert second.access.url != server.access.url
        assert isinstance(second.access.api().call("POST", "/flow_runs/filter", {}), list)
    finally:
        second.stop()


def test_its_files_are_private(server: LocalServer) -> None:
    """If this fails, another user of the machine reads run history and the auth string."""
    home = server.record.parents[1]
    loose = {
        str(path): oct(path.stat().st_mode & 0o777)
        for path in [home, *home.rglob("*")]
        if path.stat().st_mode & 0o077
    }
    assert (home / "prefect.db").exists()
    assert (home / "server.json").exists()
    assert loose == {}


def test_its_pages_are_the_ones_that_call_nobody(server: LocalServer) -> None:
    """If this fails, the operator's browser reports to an outside host."""
    auth = tuple(server.access.auth.split(":", 1))
    page = requests.get(server.pages, auth=auth, timeout=30)
    shown = requests.get(f"{server.pages}/ui-settings", auth=auth, timeout=30)

    assert page.status_code == 200
    assert "/v2/" not in page.url
    assert not re.findall(r'(?:src|href)="https?://', page.text)
    assert shown.json()["api_url"] == server.access.url


@contextmanager
def plain_server(folder: Path, **settings: str) -> Iterator[Access]:
    """A server as Prefect starts it, with those settings on top."""
    port = free_port(0)
    env = {**os.environ, "PREFECT_HOME": str(folder), "DO_NOT_TRACK": "1", **settings}
    app = "prefect.server.api.server:create_app"
    command = [sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(port)]
    held = Leashed(command, env=env, cwd=folder, log=folder / "log", grace=3)
    access = Access(
        f"http://127.0.0.1:{port}/api", settings.get("PREFECT_SERVER_API_AUTH_STRING", "")
    )
    try:
        until("the server answers", 120, access.api().healthy)
        yield access
    finally:
        held.stop()


@pytest.mark.verify
@pytest.mark.parametrize(
    "settings",
    [{}, {"PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true"}],
    ids=["defaults", "CSRF protection"],
)
def test_the_probe_refuses_an_open_server(tmp_path: Path, settings: dict[str, str]) -> None:
    """If this fails, the probe says closed of a server that leaks: CSRF protection is no lock."""
    with plain_server(tmp_path, **settings) as access:
        ways = open_ways(access)
        assert ways
        with pytest.raises(Stop, match="a foreign web page could"):
            assert_closed(access)
        if settings:
            assert "fetch a CSRF token" in ways
        else:
            assert "read every stored secret without a login" in ways


@pytest.mark.verify
def test_a_login_alone_is_not_enough(tmp_path: Path) -> None:
    """If this fails, a page uses the login that the operator's browser has saved."""
    with plain_server(tmp_path, PREFECT_SERVER_API_AUTH_STRING="a:b") as access:
        assert open_ways(Access(access.url, "a:b")) == [
            "send requests with the operator's saved login"
        ]
