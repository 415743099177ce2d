"""Redaction of every log record, whoever handles it."""

from __future__ import annotations

import logging

import pytest

from audiencehub.http import hide, redact_every_record


@pytest.fixture
def restored():
    before = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(before)


def test_a_handler_of_a_library_never_sees_a_secret(restored, caplog):
    """If it fails, a handler that nobody thought of stores a token or an address."""
    hide("t0ken-very-secret")
    redact_every_record()
    redact_every_record()

    logging.getLogger("somebody.else").warning(
        "sent %s to %s", "t0ken-very-secret", "a@acme.example"
    )

    assert caplog.messages == ["sent [secret] to [email]"]
