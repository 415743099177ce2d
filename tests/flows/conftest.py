"""One server of Prefect for the tests of this folder, and projects to run on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from audiencehub.server.local import LocalServer, free_port, start_server
from audiencehub.settings import Settings, load
from tests.flows import marker

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server as `audiencehub up` starts it, with schedules, without a worker."""
    settings = marker.project(tmp_path_factory.mktemp("server"))
    running = start_server(settings, lambda _: None, kind="up", port=free_port(0))
    yield running
    running.stop()


def small_project(root: Path, *, more: str = "") -> Settings:
    """The shipped project with a company of sixty contacts; `more` is added to its settings."""
    for name in ("segment_rules", "flows"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "prefect.yaml", root)
    (root / "deployments").mkdir()
    text = (ROOT / "deployments" / "sandbox.toml").read_text("utf-8")
    text = text.replace("contacts = 5000", "contacts = 60").replace(
        "accounts = 600", "accounts = 12"
    )
    (root / "deployments" / "sandbox.toml").write_text(text + more)
    return load("sandbox", root)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """That project, shared by the tests of a module."""
    return small_project(tmp_path_factory.mktemp("small"))
