"""What can be wrong with an answer of JSON: the text, the keys, the lists, the records."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.connectors.front import Answer, Front, Spoil
from tests.connectors.pathology import JSON, Change, kind_of, same

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


def parsed(answer: Answer) -> Any:
    """The true document; None where there is none."""
    if kind_of(answer) != JSON or answer.status >= 300:
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
    """A top-level key that is there, with another value."""
    return remade(
        lambda d: {**d, key: value} if isinstance(d, dict) and d.get(key, value) != value else None
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


def moved(key: str, by: Callable[[int], int]) -> Change:
    """A number that says how many, and now says another."""

    def inner(document: Any) -> Any:
        found = document.get(key) if isinstance(document, dict) else None
        if type(found) is not int or by(found) == found:
            return None
        return {**document, key: by(found)}

    return remade(inner)


COUNTS: Mapping[str, Callable[[int], int]] = {
    "one more": lambda n: n + 1,
    "one less": lambda n: n - 1,
    "doubled": lambda n: n * 2,
    "halved": lambda n: n // 2,
    "a text of digits": str,  # type: ignore[return-value, dict-item]
}


def deep(path: tuple[str, ...], value: Any) -> Change:
    """Something in a place further in, where there is one; `...` takes it out."""

    def inner(document: Any) -> Any:
        if not isinstance(document, dict) or path[0] not in document:
            return None
        made = json.loads(json.dumps(document))
        place = made
        for key in path[:-1]:
            place = place.get(key) if isinstance(place, dict) else None
        if not isinstance(place, dict) or path[-1] not in place:
            return None
        if value is ...:
            del place[path[-1]]
        else:
            place[path[-1]] = value
        return None if made == document else made

    return remade(inner)


def again(answer: Answer, seen: Front) -> Answer | None:
    """The page that was there before, once more."""
    body = seen.before.get(answer.path)
    return replace(answer, body=body) if body and body != answer.body else None


def kinds_of_json(
    keys: tuple[str, ...],
    lists: tuple[str, ...],
    fields: tuple[str, ...],
    paths: tuple[tuple[str, ...], ...] = (),
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
        "with keys that nobody knows": remade(
            lambda d: {**d, "x-new": [1], "page": None, "": {}} if isinstance(d, dict) else None
        ),
    }
    for key in keys:
        made[f"{key} missing"] = gone(key)
        made |= {f"{key} is {name}": put(key, value) for name, value in ODD.items()}
        made |= {f"{key} {name}": moved(key, by) for name, by in COUNTS.items()}
    for path in paths:
        made[f"{'.'.join(path)} missing"] = deep(path, ...)
        made |= {f"{'.'.join(path)} is {name}": deep(path, one) for name, one in ODD.items()}
    for key in lists:
        made |= {f"{key} {name}": listed(key, change) for name, change in LISTS.items()}
        for one in fields:
            made[f"{key}: {one} missing"] = field(key, one, ...)
            made |= {f"{key}: {one} is {name}": field(key, one, v) for name, v in ODD.items()}
    return {**{name: same(change) for name, change in made.items()}, "a page again": again}


def remade_to(body: bytes) -> Change:
    """Another JSON text; only where the answer is JSON."""
    return lambda answer: None if parsed(answer) is None else replace(answer, body=body)
