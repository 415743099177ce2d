"""Logs hold no secret, no person, no control character."""

from __future__ import annotations

import hashlib
import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.http import HttpClient, RedactingFilter, hide, redact

from .conftest import http


def logged(act):
    """What a handler with our filter writes."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("test.redaction")
    logger.propagate = False
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG)
    act(logger)
    return out.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "jane.doe+x@buyer.example",
        "GET /contacts/jane%40buyer.example/x",
        "<jöhn@bücher.example>",
        "call +1 415-555-0100 now",
        "+442079460000",
        "(415) 555-0100",
        "415.555.0100",
        "415-555-0100",
    ],
)
def test_addresses_and_phones_are_masked(text):
    """One line in a log is a leak."""
    shown = redact(text)

    assert "buyer" not in shown and "bücher" not in shown
    assert not any(part in shown for part in ("0100", "9460000", "jane"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-16 09:00:00",
        "row 1234567890123",
        "v64.0 in 12.5 s",
        "hubspot/contact/tags",
        "9f3c2a1b-0001",
        "1,234,567 rows",
    ],
)
def test_ordinary_text_stays(text):
    """A log in which everything is masked helps nobody."""
    assert redact(text) == text


def test_the_digest_of_an_address_in_a_path_is_masked():
    """If this fails, who has a list of addresses reads in our logs which of them was looked up."""
    digest = hashlib.md5(b"jane@buyer.example", usedforsecurity=False).hexdigest()
    assert redact(f"GET /3.0/lists/a1b2/members/{digest}/tags") == (
        "GET /3.0/lists/a1b2/members/[digest]/tags"
    )
    assert redact(f"reply {digest}") == f"reply {digest}"


def test_secrets_are_masked_also_quoted_for_urls():
    """A token in a query is quoted."""
    hide("s3cr/t+token")

    assert redact("a s3cr/t+token b s3cr%2Ft%2Btoken") == "a [secret] b [secret]"


@given(st.text())
def test_no_control_character_survives(text):
    """A newline forges a log line; an escape sequence rewrites the operator's terminal."""
    shown = redact(text)

    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029\u202e" for c in shown)


def test_a_forged_line_stays_one_line():
    """`name\\nERROR all is lost` is one record."""
    shown = logged(lambda log: log.info("name %s", "x\nERROR forged\x1b[2J"))

    assert shown == "name x\\nERROR forged\\x1b[2J\n"


def test_tracebacks_are_redacted():
    """The value that broke a row stands in its exception."""
    hide("canary-secret-1")

    def act(log):
        try:
            raise ValueError("bad jane@buyer.example canary-secret-1")
        except ValueError:
            log.exception("failed for %s", "jane@buyer.example")

    shown = logged(act)

    assert "buyer" not in shown and "canary" not in shown
    assert "ValueError" in shown


def test_a_log_call_with_wrong_arguments_is_still_a_line():
    """A broken log call must not end a sync."""
    assert "x %d" in logged(lambda log: log.info("x %d", "not a number"))


def test_the_client_itself_logs_no_query_and_no_person(serve, clock, caplog):
    """Even at debug level."""
    caplog.set_level(logging.DEBUG)

    HttpClient(serve(http(200)).url, clock=clock).get("/p/jane@buyer.example", params={"q": "joe"})

    ours = [
        record.getMessage() for record in caplog.records if record.name.startswith("audiencehub")
    ]
    assert ours and not any("jane" in line or "joe" in line for line in ours)
