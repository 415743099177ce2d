"""What every suite stands on: the bench, a clock that does not wait, a watch on the logs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from audiencehub.errors import HubError
from audiencehub.testing.bench import WRONG, Bench, Patience, Stage, fake_bench, leaks, stage

BROKEN: Mapping[str, Mapping[str, Any]] = {
    "a body cut in half": {"cut": True},
    "a body that ends early": {"truncate": 9},
    "a web page in place of the answer": {
        "status": 200,
        "body": "<!doctype html><title>Down for maintenance</title>",
    },
    "an empty object": {"status": 200, "body": {}},
    "a connection hung up": {"hang_up": True},
}
"""Answers that prove nothing, as faults of the sandbox."""


class Contract:
    """Name the connector, and the options it needs; the fake is started from its SPEC."""

    connector: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    """Of the settings entry."""

    @pytest.fixture(scope="class")
    @classmethod
    def stage(cls) -> Iterator[Stage]:
        """Where the fakes of this class listen, one after the other."""
        with stage() as made:
            yield made

    @pytest.fixture
    def bench(self, tmp_path: Path, stage: Stage) -> Iterator[Bench]:
        """The connector on a fake of its own, seeded with the demo company."""
        with fake_bench(self.connector, self.options, tmp_path, stage) as found:
            yield found

    @pytest.fixture(autouse=True)
    def patience(self, monkeypatch: pytest.MonkeyPatch) -> Patience:
        """Waits of the HTTP client pass at once, and are remembered."""
        made = Patience()
        made.install(monkeypatch)
        return made

    @pytest.fixture(autouse=True)
    def watched(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
        """Whatever a test does: nothing personal and no credential gets into a log."""
        caplog.set_level(logging.DEBUG)
        yield
        said = [
            record.getMessage()
            for phase in ("setup", "call")
            for record in caplog.get_records(phase)
            if not record.name.startswith("uvicorn")  # the fake's own, which nobody keeps
        ]
        found = leaks("\n".join(said), bench)
        assert not found, f"the log holds {', '.join(found)}"


def assert_instruction(error: HubError, bench: Bench) -> None:
    """The error says one thing and what to do about it, and gives nothing away."""
    text = str(error)
    assert error.message.strip() and error.hint.strip(), "an error needs a message and a hint"
    assert "Traceback" not in text and "\n  File " not in text, "an error is no traceback"
    assert "<html" not in text.lower() and "<!doctype" not in text.lower(), "… nor a reply's body"
    assert WRONG not in text, "an error must not hold the credential"
    assert not leaks(text, bench), f"an error holds {leaks(text, bench)}"


def assert_one_line(text: str, bench: Bench) -> None:
    """What `check` returns fits into one line of `doctor`, and gives nothing away."""
    assert text.strip() and "\n" not in text, "check() returns one line"
    assert not leaks(text, bench), f"check() tells {leaks(text, bench)}"
