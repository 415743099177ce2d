"""The root of the command line: every verb is found, and only what it needs is loaded."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
import typer
from typer.main import get_command

from audiencehub.cli.main import VERBS


@pytest.mark.parametrize("module", VERBS)
def test_the_table_names_the_verbs_that_a_module_brings(module):
    """A verb that the table does not have is not found when it is typed."""
    app = typer.Typer()
    app.callback()(lambda: None)

    importlib.import_module(f"audiencehub.cli.{module}").register(app)

    assert set(get_command(app).commands) == set(VERBS[module])


def test_a_lint_does_not_load_what_a_sync_needs():
    """`check` in a pre-commit hook must not wait for orchestration, learning or fakes."""
    code = (
        "import sys; from audiencehub.cli.main import build; build('check');"
        "print([one for one in ('prefect', 'sklearn', 'pandas', 'audiencehub.pipeline',"
        " 'audiencehub.sandbox.company', 'audiencehub.ledger') if one in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_verb_alone_keeps_its_name():
    """Loaded alone, `explain` is still a verb and not the whole program."""
    done = subprocess.run(
        [sys.executable, "-m", "audiencehub.cli.main", "explain", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "explain" in done.stdout
    assert "person" in done.stdout.lower()
