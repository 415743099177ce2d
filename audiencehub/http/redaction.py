"""What may stand in a log line: no secret, no address, no phone, no control character."""

from __future__ import annotations

import logging
import re
import threading
from typing import Any
from urllib.parse import quote

SHORTEST_SECRET = 6
_WORD = r"[^\s@<>\"'(),:;=/?&\[\]]"
_EMAIL = re.compile(rf"{_WORD}{{1,64}}(?:@|%40){_WORD}+\.[^\W\d_]{{2,}}")
_PHONE = re.compile(
    r"(?<![\w+])(?:\+|%2B)\d(?:[ ().-]{0,2}\d){6,14}(?!\w)"
    r"|(?<![\w.-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])"
)
# An address that a path names by its digest, as Mailchimp's contacts are.
_DIGEST = re.compile(r"(?<=/members/)[0-9a-f]{32}(?![0-9a-f])")
# C0, DEL, C1, line and paragraph separators, and the marks that reorder text on a terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_lock = threading.Lock()
_secrets: set[str] = set()
_pattern: re.Pattern[str] | None = None


def hide(value: str) -> str:
    """Register a secret, so that `redact` masks it from now on; returns it unchanged.

    Values shorter than six characters are not registered: they would mask ordinary words.
    """
    global _pattern  # noqa: PLW0603 - one set of secrets per process, or a thread could leak another's
    if len(value) >= SHORTEST_SECRET:
        with _lock:
            _secrets.update({value, quote(value, safe="")})
            longest_first = sorted(_secrets, key=len, reverse=True)
            _pattern = re.compile("|".join(map(re.escape, longest_first)))
    return value


def redact(text: str) -> str:
    """The text with secrets, e-mail addresses, their digests in paths, and phones masked, control
    characters escaped."""
    if _pattern is not None:
        text = _pattern.sub("[secret]", text)
    text = _DIGEST.sub("[digest]", text)
    text = _EMAIL.sub("[email]", text)
    text = _PHONE.sub("[phone]", text)
    return _CONTROL.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


class RedactingFilter(logging.Filter):
    """Put on a handler: every record it passes is redacted, its traceback included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drops one."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = str(record.msg)
        record.msg, record.args = redact(message), None
        if record.exc_info and record.exc_info[0] is not None:
            text = record.exc_text or logging.Formatter().formatException(record.exc_info)
            record.exc_text, record.exc_info = redact(text), None
        elif record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def redact_every_record() -> None:
    """From now on every log record of this process is redacted as it is made.

    Handlers that libraries add later, Prefect's among them, get only redacted records.
    """
    made = logging.getLogRecordFactory()
    if getattr(made, "redacts", False):
        return
    clean = RedactingFilter()

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = made(*args, **kwargs)
        clean.filter(record)
        return record

    make.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make)
