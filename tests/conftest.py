"""What every test stands on: a clean environment, loopback only, and tools named when missing."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

KEPT = {"AUDIENCEHUB_REALDATA", "AUDIENCEHUB_NO_SKIP"}

NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "node": (
        lambda: bool(shutil.which("node") and shutil.which("npm")),
        "install Node.js with npm (Debian: apt-get install nodejs npm)",
    ),
    "postgres": (
        lambda: bool(
            shutil.which("postgres") or any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        ),
        "install the PostgreSQL server (Debian: apt-get install postgresql)",
    ),
    "cc": (lambda: bool(shutil.which("cc")), "install a C compiler (Debian: apt-get install gcc)"),
    "bombora": (
        lambda: _realdata("bombora/surge_sample.csv"),
        "set AUDIENCEHUB_REALDATA to the folder that holds bombora/surge_sample.csv",
    ),
    "cdnow": (lambda: importlib.util.find_spec("lifetimes") is not None, "run: make realdata"),
}
"""Tools beyond Python and make: how to see whether one is there, and how to get it."""


def _realdata(file: str) -> bool:
    folder = os.environ.get("AUDIENCEHUB_REALDATA", "")
    return bool(folder) and (Path(folder) / file).is_file()


LONGEST = (
    "tests/e2e/test_kill.py",
    "tests/e2e/test_pages.py",
    "tests/e2e/test_canaries.py",
    "tests/disk/",
    "tests/rules/test_oracle.py",
    "tests/model/",
    "tests/flows/test_scheduled_sync.py",
    "tests/e2e/test_demo.py",
    "tests/e2e/test_forget.py",
    "tests/flows/test_up.py",
    "tests/torture/",
    "tests/e2e/test_explain.py",
    "tests/connectors/",
    "tests/e2e/",
    "tests/platforms/",
)
"""Files and folders with the longest tests of `make verify`, the longest first: begun last, they
would run alone while the other workers wait."""


def pytest_configure(config: pytest.Config) -> None:
    """Forget what the shell says about audiencehub and Prefect, before anything imports them."""
    for name in list(os.environ):
        if name.startswith(("AUDIENCEHUB_", "PREFECT_")) and name not in KEPT:
            del os.environ[name]
    os.environ.update(
        PREFECT_HOME=tempfile.mkdtemp(prefix="prefect-"),
        PREFECT_SERVER_EPHEMERAL_ENABLED="false",
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        PREFECT_RESULTS_PERSIST_BY_DEFAULT="false",
        DO_NOT_TRACK="1",
        NO_PROXY="127.0.0.1,localhost",
    )
    os.umask(0o022)
    hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
    hypothesis.settings.register_profile("dev", deadline=None)
    hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the Prefect home of this test run."""
    shutil.rmtree(os.environ["PREFECT_HOME"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, else in the order they were found."""

    def rank(item: pytest.Item) -> int:
        ranks = (n for n, start in enumerate(LONGEST) if item.nodeid.startswith(start))
        return next(ranks, len(LONGEST))

    items.sort(key=rank)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a missing tool; where skipping is forbidden, fail."""
    for mark in item.iter_markers("needs"):
        for tool in mark.args:
            there, remedy = NEEDS[tool]
            if there():
                continue
            if os.environ.get("AUDIENCEHUB_NO_SKIP") == "1":
                pytest.fail(
                    f"needs {tool}, and nothing may be skipped here: {remedy}", pytrace=False
                )
            pytest.skip(f"needs {tool}")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name the tests that did not run, and how to get what they need."""
    missing: dict[str, list[str]] = {}
    for report in terminalreporter.getreports("skipped"):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        _, needs, tool = reason.partition("needs ")
        if needs and tool in NEEDS:
            missing.setdefault(tool, []).append(report.nodeid)
    for tool, tests in sorted(missing.items()):
        terminalreporter.section(f"not run: {len(tests)} tests need {tool}", sep="-")
        for test in tests:
            terminalreporter.write_line(f"  {test}")
        terminalreporter.write_line(f"  -> {NEEDS[tool][1]}")


class Guard:
    """Refuses connections that leave this machine, and remembers them."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.on = True

    def check(self, family: int, address: Any) -> None:
        """Raises ConnectionRefusedError for an address beyond loopback."""
        if not self.on or family not in (socket.AF_INET, socket.AF_INET6):
            return
        if not _loopback(str(address[0])):
            self.refused.append(f"{address[0]}:{address[1]}")
            raise ConnectionRefusedError(f"a test may not connect to {address[0]}")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


@pytest.fixture(scope="session")
def _guard() -> Iterator[Guard]:
    guard = Guard()
    patch = pytest.MonkeyPatch()
    connect, connect_ex, resolve = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def guarded(self: socket.socket, address: Any) -> None:
        guard.check(self.family, address)
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        guard.check(self.family, address)
        return connect_ex(self, address)

    def local_only(host: Any, *args: Any, **kwargs: Any) -> Any:
        # A name is not looked up outside either; its absence is no fault of the test.
        name = host.decode() if isinstance(host, bytes) else host
        known = not name or _loopback(name) or name == socket.gethostname()
        if guard.on and not known and not _numeric(name):
            raise socket.gaierror(socket.EAI_NONAME, "names are not looked up in tests")
        return resolve(host, *args, **kwargs)

    patch.setattr(socket.socket, "connect", guarded)
    patch.setattr(socket.socket, "connect_ex", guarded_ex)
    patch.setattr(socket, "getaddrinfo", local_only)
    yield guard
    patch.undo()


def _numeric(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@pytest.fixture(autouse=True)
def loopback_only(request: pytest.FixtureRequest, _guard: Guard) -> Iterator[None]:
    """Fail a test that tries to leave this machine, also where the code swallowed the refusal."""
    _guard.refused.clear()
    _guard.on = request.node.get_closest_marker("outside") is None
    yield
    _guard.on = True
    if _guard.refused:
        pytest.fail(f"tried to connect to {', '.join(_guard.refused)}", pytrace=False)


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """Give each test the same environment, folder and umask, whatever the one before did."""
    before, folder, mask = dict(os.environ), Path.cwd(), os.umask(0o022)
    os.umask(0o022)
    yield
    os.umask(mask)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(before)
