"""Migrations: a process that dies in one leaves the old ledger or the new one, and every row."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from audiencehub.errors import ConfigError
from audiencehub.ledger import Ledger
from audiencehub.ledger.schema import MIGRATIONS
from audiencehub.privacy.sealed import Vault

HERE = Path(__file__).parent
RELEASED = {1: HERE / "schemas" / "version1.sql", 4: HERE / "schemas" / "version4.sql"}


def killed(folder, text, *more):
    """What each killed child left behind; the first is the ledger of before."""
    done = subprocess.run(
        [sys.executable, str(HERE / "migrating.py"), str(folder), str(text), *more],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.mark.fault(21)
@pytest.mark.parametrize("version", RELEASED)
def test_killed_at_any_statement_it_is_the_old_ledger_or_the_new(tmp_path, version):
    """If it fails, an upgrade that is cut off leaves a ledger that no version can open, or one
    that has lost rows. Killed for real, at every statement and inside the COMMIT."""
    before, *left, after = killed(tmp_path, RELEASED[version])

    assert before[0] == version
    assert after[0] == len(MIGRATIONS)
    assert before[1] != after[1]
    assert before[2] == after[2], "rows were lost or changed"
    assert before[4] > 50
    assert set(left) == {before}
    statements = "".join(MIGRATIONS[version:]).count(";\n")
    assert len(left) > statements > 10, "the sweep missed statements"


@pytest.mark.fault(21)
def test_the_sweep_finds_a_migration_without_a_transaction(tmp_path):
    """The control: the same scripts, one by one. A sweep that passes it would prove nothing."""
    before, *left, after = killed(tmp_path, RELEASED[4], "naive")

    assert {one[:2] for one in left} - {before[:2], after[:2]}


@pytest.mark.fault(21)
@pytest.mark.parametrize("version", RELEASED)
def test_every_way_leads_to_the_same_tables(tmp_path, ledger, version):
    """An upgraded ledger whose tables differ from a new one's is a second product."""
    path = tmp_path / "ledger.sqlite"
    apsw.Connection(str(path)).execute(RELEASED[version].read_text("utf-8"))
    Vault(tmp_path)

    upgraded = Ledger.open(tmp_path)

    sql = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY 1, 2"
    assert upgraded._db.rows(sql) == ledger._db.rows(sql)
    assert upgraded.id == "5f0c2f6e-0000-4000-8000-000000000001"
    upgraded.close()


@pytest.mark.fault(21)
def test_what_was_under_way_is_still_under_way(tmp_path):
    """An upgrade in the middle of a push must not forget what was sent and not answered."""
    apsw.Connection(str(tmp_path / "ledger.sqlite")).execute(RELEASED[4].read_text("utf-8"))
    Vault(tmp_path)

    ledger = Ledger.open(tmp_path)

    doubted = [one.seq for n in (1, 2, 3) for one in ledger.delivery.unsettled(f"ads/list/s{n}")]
    assert doubted == [1, 2]
    assert ledger.custody.restored() is None
    ledger.close()


@pytest.mark.fault(21)
def test_a_newer_ledger_is_refused_in_words_and_left_alone(tmp_path, ledger):
    """An older hub that wrote into a newer ledger would break what it does not know."""
    ledger._db.run("PRAGMA user_version=99")
    ledger.close()
    path = tmp_path / "home" / "ledger.sqlite"
    before = path.read_bytes()

    with pytest.raises(ConfigError, match="newer audiencehub") as refused:
        Ledger.open(tmp_path / "home")

    assert "Upgrade audiencehub" in refused.value.hint
    assert path.read_bytes() == before
