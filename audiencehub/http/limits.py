"""Bounds on what the other side may make us read (OWASP ASVS 5.2.1, 5.2.3)."""

from __future__ import annotations

import zlib
from typing import Any

from audiencehub.http.wire import Unreadable

HEADER_BYTES = 64 * 1024
RATIO = 10
RATIO_FROM = 8 * 1024 * 1024
"""Decompressed bytes below which the ratio is not judged: a page of JSON with the same keys in
every record rightly shrinks more than tenfold."""
_CHUNK = 256 * 1024


def check_headers(headers: Any) -> None:
    """Raises Unreadable when all headers together pass 64 KiB."""
    if sum(len(name) + len(value) + 4 for name, value in headers.items()) > HEADER_BYTES:
        raise Unreadable("has headers beyond 64 KiB", again=False)


def read_body(raw: Any, max_body: int) -> bytes:
    """The body of a urllib3 response, decompressed; raises Unreadable beyond the bounds."""
    encoding = (raw.headers.get("content-encoding") or "identity").strip().lower()
    if encoding in ("", "identity"):
        return _plain(raw, max_body)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable("is compressed in a way that was not asked for", again=False)
    return _inflated(raw, max_body)


def _chunks(raw: Any, max_body: int) -> Any:
    seen = 0
    while chunk := raw.read(_CHUNK, decode_content=False):
        seen += len(chunk)
        if seen > max_body:
            raise Unreadable(f"is longer than {max_body >> 20} MiB", again=False)
        yield chunk


def _plain(raw: Any, max_body: int) -> bytes:
    return b"".join(_chunks(raw, max_body))


def _inflated(raw: Any, max_body: int) -> bytes:
    body, received = bytearray(), 0
    # 47: gzip or zlib, whichever the stream begins with.
    stream = zlib.decompressobj(47)
    for chunk in _chunks(raw, max_body):
        received += len(chunk)
        while chunk:
            if stream.eof:
                stream = zlib.decompressobj(47)
            try:
                body += stream.decompress(chunk, _CHUNK)
            except zlib.error:
                raise Unreadable("is not the compressed data it claims to be", again=True) from None
            chunk = stream.unconsumed_tail or stream.unused_data  # noqa: PLW2901 - consumed piecewise
            if len(body) > max_body or len(body) > max(RATIO_FROM, RATIO * received):
                raise Unreadable("decompresses beyond all measure", again=False)
    if received and not stream.eof:
        raise Unreadable("is cut off", again=True)
    return bytes(body)
