"""What can be wrong with any answer, by name: of the connection, the coding, the status."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from tests.connectors.front import Answer, Spoil

HTML = b"<!doctype html><html><title>Down for maintenance</title></html>"
JSON = "application/json"
Change = Callable[[Answer], Answer | None]


def same(change: Change) -> Spoil:
    """A kind that needs no memory of former answers."""
    return lambda answer, _: change(answer)


def typed(answer: Answer, kind: str | None, body: bytes | None = None) -> Answer:
    """The answer under another content type."""
    headers = {k: v for k, v in answer.headers.items() if k != "content-type"}
    headers |= {"content-type": kind} if kind else {}
    return replace(answer, headers=headers, body=answer.body if body is None else body)


def headed(answer: Answer, **headers: str) -> Answer:
    """The answer with further headers; an underscore stands for a hyphen."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(answer, headers={**answer.headers, **more})


def bodied(body: bytes) -> Change:
    """Another body under the true head."""
    return lambda answer: replace(answer, body=body)


def wired(make: Callable[[bytes], bytes]) -> Change:
    """Other bytes in place of the whole answer, head and all; the connection then ends."""
    return lambda answer: replace(answer, wire=make(answer.data()))


def refused(status: int, body: bytes = b"", kind: str = JSON, **headers: str) -> Change:
    """Another answer altogether."""
    return lambda answer: headed(
        typed(replace(answer, status=status, headers={}), kind, body), **headers
    )


def packed(answer: Answer, body: bytes, how: str = "gzip") -> Answer:
    """A body under a Content-Encoding."""
    return headed(replace(answer, body=body), content_encoding=how)


def chunks(answer: Answer, end: bytes) -> Answer:
    """The body as one chunk, and what follows it."""
    head = replace(answer, declare="", body=b"").data()[:-2] + b"transfer-encoding: chunked\r\n\r\n"
    return replace(answer, wire=head + b"%x\r\n" % len(answer.body) + answer.body + b"\r\n" + end)


def _bomb() -> bytes:
    return gzip.compress(b" " * (24 << 20), 9)


WIRE: Mapping[str, Change] = {
    "no body": bodied(b""),
    "204": lambda a: replace(a, status=204, headers={}, body=b""),
    "half a body, length to match": lambda a: replace(a, body=a.body[: len(a.body) // 2]),
    "body without its last byte": lambda a: replace(a, body=a.body.rstrip()[:-1]),
    "half a body, whole length": wired(lambda d: d[: len(d) - len(d) // 3]),
    "length too great": lambda a: replace(a, declare=str(len(a.body) + 100)),
    "length too small": lambda a: replace(a, declare=str(len(a.body) // 2)),
    "length of one": lambda a: replace(a, declare="1"),
    "length of none": lambda a: replace(a, declare="0"),
    "negative length": lambda a: replace(a, declare="-1"),
    "length that is a word": lambda a: replace(a, declare="many"),
    "two lengths": wired(lambda d: d.replace(b"\r\n\r\n", b"\r\ncontent-length: 3\r\n\r\n", 1)),
    "no length, whole body": lambda a: replace(a, wire=replace(a, declare="").data()),
    "no length, half a body": lambda a: replace(
        a, wire=replace(a, declare="", body=a.body[: len(a.body) // 2]).data()
    ),
    "no length, the last byte missing": lambda a: replace(
        a, wire=replace(a, declare="", body=a.body.rstrip()[:-1]).data()
    ),
    "chunks without an end": lambda a: chunks(a, b""),
    "chunk of an impossible size": lambda a: chunks(a, b"zz\r\nmore"),
    "chunk cut off": lambda a: chunks(a, b"ffff\r\n{"),
    "nothing at all": wired(lambda _: b""),
    "half a head": wired(lambda d: d[:30]),
    "head that ends after one header": wired(lambda d: d[: d.index(b"\r\n", 20) + 2]),
    "no status line": wired(lambda d: d.partition(b"\r\n\r\n")[2]),
    "a mail server's greeting": wired(lambda _: b"220 mail.acme.example ESMTP\r\n"),
    "status of a word": wired(lambda _: b"HTTP/1.1 fine\r\n\r\n{}"),
    "status 999": refused(999, b"{}"),
    "status 199 and silence": wired(lambda _: b"HTTP/1.1 199 X\r\n\r\n"),
    "continue for ever": wired(lambda _: b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
    "switching protocols": wired(lambda _: b"HTTP/1.1 101 X\r\nupgrade: h2c\r\n\r\n\x00\x01"),
    "headers beyond 64 KiB": lambda a: headed(a, **{f"x_{n}": "y" * 8000 for n in range(9)}),
    "one header of 70 KiB": lambda a: headed(a, x_long="y" * 70_000),
    "two hundred headers": lambda a: headed(a, **{f"x_{n}": "y" for n in range(200)}),
    "random bytes": wired(lambda _: bytes(range(256)) * 4),
    "silence": lambda a: replace(a, wire=b"", stall=True),
    "silence after the head": lambda a: replace(
        a, wire=a.data().partition(b"\r\n\r\n")[0] + b"\r\n\r\n", stall=True
    ),
    "a byte now and then": lambda a: replace(a, drip=0.05),
    "a body beyond 64 MiB": lambda a: replace(a, body=a.body + b" " * (64 << 20)),
    "a length beyond 64 MiB": lambda a: replace(a, declare=str(1 << 40)),
    "chunks and a length": lambda a: replace(
        a, wire=chunks(a, b"0\r\n\r\n").data().replace(b"\r\n", b"\r\ncontent-length: 5\r\n", 1)
    ),
    "silence in the middle": lambda a: replace(a, wire=a.data()[:-20], stall=True),
}
"""Of the connection and the head."""

CODING: Mapping[str, Change] = {
    "plain text type": lambda a: typed(a, "text/plain"),
    "HTML type": lambda a: typed(a, "text/html; charset=utf-8"),
    "XML type": lambda a: typed(a, "application/xml"),
    "no type": lambda a: typed(a, None),
    "garbled type": lambda a: typed(a, ";;;=/"),
    "a web page": lambda a: typed(a, "text/html", HTML),
    "a web page called JSON": lambda a: typed(a, JSON, HTML),
    "an XML error called JSON": lambda a: typed(a, JSON, b"<?xml version='1.0'?><error/>"),
    "text in UTF-16, not said": lambda a: replace(a, body=a.body.decode().encode("utf-16-be")[1:]),
    "text in UTF-16 with its mark": lambda a: replace(a, body=a.body.decode().encode("utf-16")),
    "an unknown charset": lambda a: typed(a, f"{kind_of(a)}; charset=klingon"),
    "a wrong charset": lambda a: typed(a, f"{kind_of(a)}; charset=utf-16"),
    "a byte that is no UTF-8": lambda a: _within(a, b"\xff"),
    "half a character": lambda a: _within(a, b"\xc3"),
    "a surrogate in UTF-8": lambda a: _within(a, b"\xed\xa0\x80"),
    "a NUL byte": lambda a: _within(a, b"\x00"),
    "a byte order mark": lambda a: replace(a, body=b"\xef\xbb\xbf" + a.body),
    "gzip that is not there": lambda a: packed(a, a.body),
    "deflate that is not there": lambda a: packed(a, a.body, "deflate"),
    "gzip, true": lambda a: packed(a, gzip.compress(a.body)),
    "gzip in two members": lambda a: packed(
        a, gzip.compress(a.body[:40]) + gzip.compress(a.body[40:])
    ),
    "gzip cut off": lambda a: packed(a, gzip.compress(a.body)[:-9]),
    "gzip cut to its head": lambda a: packed(a, gzip.compress(a.body)[:10]),
    "gzip of half a body": lambda a: packed(a, gzip.compress(a.body[: len(a.body) // 2])),
    "gzip with a wrong checksum": lambda a: packed(
        a, gzip.compress(a.body)[:-8] + b"\0\0\0\0" + gzip.compress(a.body)[-4:]
    ),
    "gzip with rubbish after it": lambda a: packed(a, gzip.compress(a.body) + b"rubbish"),
    "gzip of gzip": lambda a: packed(a, gzip.compress(gzip.compress(a.body))),
    "gzip of nothing": lambda a: packed(a, gzip.compress(b"")),
    "gzip, empty": lambda a: packed(a, b""),
    "a bomb": lambda a: packed(a, _bomb()),
    "raw deflate": lambda a: packed(a, zlib.compress(a.body)[2:-4], "deflate"),
    "brotli": lambda a: packed(a, a.body, "br"),
    "two encodings": lambda a: packed(a, gzip.compress(a.body), "gzip, gzip"),
    "unknown encoding": lambda a: packed(a, a.body, "x-secret"),
}
"""Of type, charset and compression."""

STATUS: Mapping[str, Change] = {
    "202 and nothing yet": refused(202),
    "203": lambda a: replace(a, status=203),
    "207": lambda a: replace(a, status=207),
    "226": lambda a: replace(a, status=226),
    "206 and half": lambda a: headed(
        replace(a, status=206, body=a.body[: len(a.body) // 2]), content_range="bytes 0-9/99"
    ),
    "300": refused(300, b"{}"),
    "301 to elsewhere": refused(301, location="https://elsewhere.example/"),
    "301 to another scheme": refused(301, location="file:///etc/hostname"),
    "302 to a login page": refused(302, HTML, "text/html", location="/login?from=api"),
    "302 to itself": lambda a: refused(302, location=a.path)(a),
    "302 to another port": refused(302, location="http://127.0.0.1:9/"),
    "302 to nowhere": refused(302),
    "302 to what is no address": refused(302, location="http://[::1"),
    "303 to the root": refused(303, location="/"),
    "304": refused(304),
    "307 to another host": refused(307, location="//elsewhere.example/x"),
    "308 to itself": lambda a: refused(308, location=a.path)(a),
    "400": refused(400, b'{"message": "no"}'),
    "400 and a page": refused(400, HTML, "text/html"),
    "401": refused(401, b"{}"),
    "403": refused(403, b"{}"),
    "404": refused(404, b"{}"),
    "404 and a page": refused(404, HTML, "text/html"),
    "406": refused(406),
    "408": refused(408),
    "409": refused(409, b"[]"),
    "410": refused(410),
    "413": refused(413),
    "414": refused(414),
    "418": refused(418),
    "422": refused(422, b'"no"'),
    "429 and no time": refused(429, b"{}"),
    "429 until next year": refused(429, b"{}", retry_after="31536000"),
    "429 until yesterday": refused(429, b"{}", retry_after="Sun, 06 Nov 1994 08:49:37 GMT"),
    "429 until a word": refused(429, b"[", retry_after="soon"),
    "429 until a negative number": refused(429, b"null", retry_after="-5"),
    "431": refused(431),
    "451": refused(451),
    "500": refused(500, b"{}"),
    "500 and a page": refused(500, HTML, "text/html"),
    "501": refused(501),
    "502 and a page": refused(502, HTML, "text/html"),
    "503 for an hour": refused(503, retry_after="3600"),
    "504": refused(504),
    "511": refused(511, HTML, "text/html"),
    "520": refused(520),
    "599": refused(599),
}
"""Of the status: each must be waited for, or end the pull."""


def kind_of(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0]


def _within(answer: Answer, bad: bytes) -> Answer | None:
    """Bad bytes in the middle of a text of the body."""
    place = answer.body.find(b'":"') + 3 if b'":"' in answer.body else len(answer.body) // 2
    return replace(answer, body=answer.body[:place] + bad + answer.body[place:])


def general() -> Iterator[tuple[str, Spoil]]:
    """The kinds that fit every answer."""
    for part in (WIRE, CODING, STATUS):
        for name, change in part.items():
            yield name, same(change)
