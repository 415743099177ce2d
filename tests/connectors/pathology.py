"""What can be wrong with an answer, by name: a table of kinds, each a change of the true answer."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tests.connectors.front import Answer, Front, Spoil

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
    "an unknown charset": lambda a: typed(a, f"{_kind(a)}; charset=klingon"),
    "a wrong charset": lambda a: typed(a, f"{_kind(a)}; charset=utf-16"),
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

TEXT: Mapping[str, bytes] = {
    "an empty object": b"{}",
    "an empty list": b"[]",
    "null": b"null",
    "true": b"true",
    "a number": b"0",
    "a text": b'"ok"',
    "NaN": b"NaN",
    "blanks": b"  \r\n ",
    "an open bracket": b"{",
    "a list of null": b"[null]",
    "a list of lists": b"[[[]]]",
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"results":' * 50_000 + b"1" + b"}" * 50_000,
    "200 with an error": b'{"error": "server_error", "message": "no"}',
    "200 with HubSpot's error": b'{"status": "error", "category": "RATE_LIMITS", "message": "no"}',
    "200 with Salesforce's error": b'[{"errorCode": "SERVER_UNAVAILABLE", "message": "no"}]',
    "200 with BuiltWith's error": b'{"Results": null, "Errors": [{"Code": -2, "Message": "no"}]}',
    "200 with a fault": b'{"fault": {"faultstring": "quota"}}',
}
"""Whole bodies in place of a JSON answer."""


def _kind(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0]


def _within(answer: Answer, bad: bytes) -> Answer | None:
    """Bad bytes in the middle of a text of the body."""
    place = answer.body.find(b'":"') + 3 if b'":"' in answer.body else len(answer.body) // 2
    return replace(answer, body=answer.body[:place] + bad + answer.body[place:])


def parsed(answer: Answer) -> Any:
    """The true document; None where there is none."""
    if _kind(answer) != JSON or answer.status >= 300:
        return None
    return json.loads(answer.body)


def remade(change: Callable[[Any], Any]) -> Change:
    """The document changed; kinds that do not fit it give None."""

    def spoil(answer: Answer) -> Answer | None:
        document = parsed(answer)
        made = None if document is None else change(document)
        return None if made is None else replace(answer, body=json.dumps(made).encode())

    return spoil


def inserted(text: str) -> Change:
    """Something that json.dumps does not write, in front of the first key."""

    def spoil(answer: Answer) -> Answer | None:
        if not isinstance(parsed(answer), dict):
            return None
        return replace(answer, body=answer.body.replace(b"{", b"{" + text.encode(), 1))

    return spoil


ODD: Mapping[str, Any] = {
    "null": None,
    "an empty text": "",
    "a text": "\U0001f98a",
    "an empty list": [],
    "an empty object": {},
    "zero": 0,
    "minus one": -1,
    "true": True,
    "false": False,
    "a fraction": 1.5,
    "a huge number": 10**30,
    "a list of null": [None],
    "a list of a number": [7],
    "a list of a text": ["x"],
    "a list of an empty object": [{}],
    "an object of null": {"next": None, "after": None},
}
"""What may stand in a place where it does not belong."""


def put(key: str, value: Any) -> Change:
    """A top-level key with another value; one that had it already is left alone."""
    return remade(
        lambda d: {**d, key: value} if isinstance(d, dict) and d.get(key, d) != value else None
    )


def gone(key: str) -> Change:
    """A top-level key missing."""
    return remade(
        lambda d: (
            {k: v for k, v in d.items() if k != key} if isinstance(d, dict) and key in d else None
        )
    )


def listed(key: str, change: Callable[[list[Any]], list[Any] | None]) -> Change:
    """The list under a key changed; only one that holds something."""

    def inner(document: Any) -> Any:
        if not isinstance(document, dict) or not document.get(key):
            return None
        made = change(document[key])
        return None if made is None or made == document[key] else {**document, key: made}

    return remade(inner)


LISTS: Mapping[str, Callable[[list[Any]], list[Any] | None]] = {
    "emptied": lambda rows: [],
    "halved": lambda rows: rows[: len(rows) // 2],
    "without its first": lambda rows: rows[1:],
    "without its last": lambda rows: rows[:-1],
    "its first twice": lambda rows: [rows[0], *rows],
    "its first in place of its last": lambda rows: [*rows[:-1], rows[0]],
    "all of them its first": lambda rows: [rows[0]] * len(rows),
    "all of them twice": lambda rows: rows * 2,
    "its first null": lambda rows: [None, *rows[1:]],
    "its first a number": lambda rows: [7, *rows[1:]],
    "its first a text": lambda rows: ["x", *rows[1:]],
    "its first a list": lambda rows: [[], *rows[1:]],
    "its first empty": lambda rows: [{}, *rows[1:]],
    "a stranger in front": lambda rows: [{"id": "x", "Id": "x", "properties": {}}, *rows],
    "backwards": lambda rows: rows[::-1],
}
"""Of the list of records in a page."""


def field(key: str, name: str, value: Any) -> Change:
    """One field of the last record; `...` takes it out."""

    def change(rows: list[Any]) -> list[Any] | None:
        if not isinstance(rows[-1], dict) or name not in rows[-1]:
            return None
        last = {k: v for k, v in rows[-1].items() if k != name}
        return [*rows[:-1], last if value is ... else {**last, name: value}]

    return listed(key, change)


def again(answer: Answer, seen: Front) -> Answer | None:
    """The page that was there before, once more."""
    body = seen.before.get(answer.path)
    return replace(answer, body=body) if body and body != answer.body else None


def kinds_of_json(
    keys: Mapping[str, bool], lists: tuple[str, ...], fields: tuple[str, ...]
) -> dict[str, Spoil]:
    """Every kind for an API of JSON: its top-level keys, those that are lists, record fields."""
    made: dict[str, Change] = {name: remade_to(body) for name, body in TEXT.items()}
    made |= {
        "NaN in a key": inserted('"x":NaN,'),
        "infinity in a key": inserted('"x":-Infinity,'),
        "a number of 5,000 digits": inserted(f'"x":{"9" * 5000},'),
        "a key twice": inserted('"x":1,"x":2,'),
        "a comment": inserted("/* hello */"),
        "rubbish after it": lambda a: replace(a, body=a.body + b"}"),
        "twice in a row": lambda a: replace(a, body=a.body * 2),
        "behind a guard": lambda a: replace(a, body=b")]}',\n" + a.body),
        "in a callback": lambda a: replace(a, body=b"f(" + a.body + b")"),
        "in a list": remade(lambda d: [d]),
        "under another key": remade(lambda d: {"data": d}),
        "in quotes": remade(json.dumps),
    }
    for key in keys:
        made[f"{key} missing"] = gone(key)
        made |= {f"{key} is {name}": put(key, value) for name, value in ODD.items()}
    for key in lists:
        made |= {f"{key} {name}": listed(key, change) for name, change in LISTS.items()}
        for one in fields:
            made[f"{key}: {one} missing"] = field(key, one, ...)
            made |= {f"{key}: {one} is {name}": field(key, one, v) for name, v in ODD.items()}
    return {**{name: same(change) for name, change in made.items()}, "a page again": again}


def remade_to(body: bytes) -> Change:
    """Another JSON text; only where the answer is JSON."""
    return lambda answer: None if parsed(answer) is None else replace(answer, body=body)


def rows_of(answer: Answer) -> list[list[str]] | None:
    """The true rows of a CSV answer, header first."""
    if _kind(answer) != "text/csv":
        return None
    return list(csv.reader(io.StringIO(answer.body.decode(), newline="")))


def table(change: Callable[[list[list[str]]], list[list[str]] | None]) -> Change:
    """The CSV written anew."""

    def spoil(answer: Answer) -> Answer | None:
        rows = rows_of(answer)
        made = change(rows) if rows and len(rows) > 2 else None
        if made is None or made == rows:
            return None
        out = io.StringIO()
        csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(made)
        return replace(answer, body=out.getvalue().encode())

    return spoil


def of_csv(change: Change) -> Change:
    """A change of bytes, only where the answer is CSV."""
    return lambda answer: change(answer) if _kind(answer) == "text/csv" else None


CSV: Mapping[str, Change] = {
    "CSV without header": table(lambda r: r[1:]),
    "CSV without a row": table(lambda r: r[:-1]),
    "CSV of a header alone": table(lambda r: r[:1]),
    "CSV with a row twice": table(lambda r: [*r, r[-1]]),
    "CSV with a row in place of another": table(lambda r: [*r[:-1], r[1]]),
    "CSV of the same row": table(lambda r: [r[0], *[r[1]] * (len(r) - 1)]),
    "CSV with a column less": table(lambda r: [row[:-1] for row in r]),
    "CSV with a column more": table(lambda r: [[*row, "x"] for row in r]),
    "CSV with a column twice": table(lambda r: [[*row[:-1], row[0]] for row in r]),
    "CSV with a column renamed": table(lambda r: [[*r[0][:-1], "Nonsense"], *r[1:]]),
    "CSV without Id": table(lambda r: [row[1:] for row in r]),
    "CSV with an Id emptied": table(lambda r: [*r[:-1], ["", *r[-1][1:]]]),
    "CSV with an Id of blanks": table(lambda r: [*r[:-1], ["  ", *r[-1][1:]]]),
    "CSV with a short row": table(lambda r: [*r[:-1], r[-1][:-1]]),
    "CSV with a long row": table(lambda r: [*r[:-1], [*r[-1], "x"]]),
    "CSV with its header twice": table(lambda r: [r[0], *r]),
    "CSV by semicolons": of_csv(lambda a: replace(a, body=a.body.replace(b",", b";"))),
    "CSV by tabs": of_csv(lambda a: replace(a, body=a.body.replace(b",", b"\t"))),
    "CSV without quotes": of_csv(lambda a: replace(a, body=a.body.replace(b'"', b""))),
    "CSV with an open quote": of_csv(lambda a: replace(a, body=a.body + b'"open')),
    "CSV cut at a line": of_csv(lambda a: replace(a, body=b"\n".join(a.body.split(b"\n")[:-3]))),
    "CSV of blanks": of_csv(bodied(b" \n \n")),
    "CSV that is JSON": of_csv(bodied(b"[]")),
    "CSV called JSON": of_csv(lambda a: typed(a, JSON)),
    "CSV in latin-1": of_csv(
        lambda a: replace(a, body=a.body.decode().encode("latin-1", "replace") + b"\xe9")
    ),
    "no locator": of_csv(
        lambda a: replace(a, headers={k: v for k, v in a.headers.items() if k != "sforce-locator"})
    ),
    "no count": of_csv(
        lambda a: replace(
            a, headers={k: v for k, v in a.headers.items() if k != "sforce-numberofrecords"}
        )
    ),
    "the same locator": of_csv(lambda a: headed(a, **{"sforce-locator": "MTAwMDA"})),
    "an early end": of_csv(
        lambda a: (
            headed(a, **{"sforce-locator": "null"})
            if a.headers.get("sforce-locator") != "null"
            else None
        )
    ),
    "an empty locator": of_csv(lambda a: headed(a, **{"sforce-locator": ""})),
    "a count of a word": of_csv(lambda a: headed(a, **{"sforce-numberofrecords": "all"})),
    "a count of none": of_csv(lambda a: headed(a, **{"sforce-numberofrecords": "0"})),
    "a negative count": of_csv(lambda a: headed(a, **{"sforce-numberofrecords": "-1"})),
}
"""Of a page of bulk results."""


def general() -> Iterator[tuple[str, Spoil]]:
    """The kinds that fit every answer."""
    for part in (WIRE, CODING, STATUS):
        for name, change in part.items():
            yield name, same(change)
