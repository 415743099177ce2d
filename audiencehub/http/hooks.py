"""Calls to addresses that are secrets themselves, signed so that the receiver knows who calls."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from audiencehub.errors import ConfigError
from audiencehub.http.redaction import hide


def signature(key: str, body: bytes, at: int | None = None) -> str:
    """`sha256=` and the lower-case hex HMAC-SHA256, under the key in UTF-8, of the body's bytes.

    With `at`, seconds since 1970, it is that of `<at>.<body>`: whoever listens in cannot send the
    same again later under another time.
    """
    signed = body if at is None else f"{at}.".encode() + body
    return f"sha256={hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()}"


def hidden(url: str) -> str:
    """The address, which no error or log will show from now on, nor its path by itself."""
    hide(url)
    hide("/" + url.partition("://")[2].partition("/")[2].partition("?")[0])
    return url


def origin_of(url: str, setting: str) -> str:
    """Scheme and host of an address. Raises ConfigError, without the address, where it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None or not parts.netloc:
        raise ConfigError(
            f"The address of {setting} is no address.", hint=f"Write https://… as {setting}"
        )
    return f"{parts.scheme}://{parts.netloc}"


def slack_text(text: str) -> str:
    """The text with the three characters escaped that Slack reads as its own (docs.slack.dev,
    Formatting message text): so no `<!channel>` calls anybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
