"""`audiencehub rebuild` and `audiencehub audit data` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audiencehub.cli.main import build
from audiencehub.warehouse import Warehouse

SETTINGS = """
[company]
name = "Acme"
[sources.shop]
connector = "files"
options = { preset = "orders_csv", path = "orders-*.csv" }
[custom.contact.shoe_size]
type = "number"
from = { shop = "shoe_size" }
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "own.toml").write_text(SETTINGS)
    (tmp_path / "segment_rules" / "foundation").mkdir(parents=True)
    (tmp_path / "orders-1.csv").write_text(
        "key,email,at,total,currency,quantity,status,shoe_size\n"
        "1,a@x.example,2026-11-01T00:00:00Z,5,USD,1,paid,38\n"
    )
    monkeypatch.setenv("AUDIENCEHUB_HOME", str(tmp_path))
    return tmp_path


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(build(), [*words, "--env", "own"])
    assert done.exit_code == code, done.output
    return done.output


def test_before_anything_was_read(project):
    """If it fails, a new user meets a traceback instead of the next step."""
    assert "audiencehub sync" in run("audit", "data", code=2)
    assert "audiencehub sync --env own" in run("rebuild", "--quiet")


def test_a_rebuild_compares_what_it_made_with_what_was(project):
    """If it fails, the verb throws the old warehouse away before it has looked at it."""
    run("sync", "--no-prefect", "--quiet")

    said = json.loads(run("rebuild", "--json"))

    assert said["different"] == []
    assert said["rows"]["source_order"] == 1
    assert "holds the same rows as before" in run("rebuild", "--quiet")


def test_a_rebuild_refuses_while_a_run_works(project):
    """If it fails, the file is replaced under a run that writes it."""
    run("sync", "--no-prefect", "--quiet")
    folder = project / ".audiencehub" / "own"
    from audiencehub.settings import load

    busy = Warehouse.open(folder, load("own").tables)
    try:
        assert "open" in run("rebuild", "--quiet", code=1)
    finally:
        busy.close()


def test_a_damaged_file_is_rebuilt(project):
    """If it fails, a damaged warehouse needs more knowledge than one verb."""
    run("sync", "--no-prefect", "--quiet")
    path = project / ".audiencehub" / "own" / "hub.duckdb"
    path.write_bytes(b"damaged" * 5000)

    said = run("rebuild", "--quiet")

    assert "could not be opened" in said
    assert path.with_name("hub.broken").exists()
    assert "same rows" in run("rebuild", "--quiet")


@pytest.mark.verify
def test_the_audit_fits_the_screen_and_names_what_to_do(project):
    """If it fails, lines are cut, or a misspelt field gets no answer."""
    run("sync", "--no-prefect", "--quiet")

    everything = run("audit", "data", "--all")

    assert "order.total" in everything
    assert max(map(len, everything.splitlines())) <= 100
    assert "Did you mean order.total?" in run("audit", "data", "--field", "order.totla", code=2)
    one = json.loads(run("audit", "data", "--field", "order.total", "--json"))
    assert [part["source"] for part in one["fields"][0]["sources"]] == ["shop"]
    assert "Every value could be cleaned." in run("audit", "data", "--uncleaned")
