"""From bytes to records: every line becomes values, or a reason why not. None is dropped."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

MAX_LINE = 1024 * 1024
"""Bytes of a physical line, and of a record with line breaks in quotes."""
MAX_LINES = 200
"""Physical lines of one record; a quote that never closes must not swallow the file."""
MAX_DEPTH = 64
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
RAW = 2000
"""Characters of a bad line that are kept with it."""

csv.field_size_limit(MAX_LINE)


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a file: its values, or why there are none."""

    number: int
    """Of its first physical line, from 1."""
    values: Any = None
    """Texts in order (CSV, words), an object (JSON), or None with a fault."""
    fault: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class _Text:
    number: int
    text: str
    fault: str = ""


def physical(stream: BinaryIO, encoding: str) -> Iterator[_Text]:
    """Each line without its line break, decoded; one that cannot be is a fault of its own."""
    number = 0
    while data := stream.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            data = data.removeprefix(b"\xef\xbb\xbf")
        if len(data) > MAX_LINE and not data.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield _Text(number, data[:RAW].decode(encoding, "backslashreplace"), "too_long")
            continue
        data = data.removesuffix(b"\n").removesuffix(b"\r")
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            yield _Text(number, data[:RAW].decode(encoding, "backslashreplace"), "encoding")
            continue
        yield _Text(number, text, "nul_byte" if "\0" in text else "")


def csv_lines(stream: BinaryIO, encoding: str, delimiter: str) -> Iterator[Line]:
    """Records of a CSV file (RFC 4180): quotes may hold delimiters and line breaks."""
    source, back = physical(stream, encoding), list[_Text]()
    while (first := back.pop() if back else next(source, None)) is not None:
        if first.fault:
            yield _bad(first, first.fault)
            continue
        if not first.text.strip():
            continue
        taken = [first]
        fields = _parse(taken, delimiter)
        while fields is None and _room(taken):
            more = back.pop() if back else next(source, None)
            if more is None:
                break
            taken.append(more)
            if more.fault:
                break
            # Only a line with a quote can end what a quote began.
            fields = _parse(taken, delimiter) if '"' in more.text else None
        if isinstance(fields, list):
            yield Line(first.number, fields)
            continue
        # The quote never closes, or closes in a wrong place: only its own line is to blame.
        yield _bad(first, "quote")
        back.extend(reversed(taken[1:]))


def word_lines(stream: BinaryIO, encoding: str) -> Iterator[Line]:
    """Records whose columns are parted by blanks."""
    for line in physical(stream, encoding):
        if line.fault:
            yield _bad(line, line.fault)
        elif words := line.text.split():
            yield Line(line.number, words)


def json_lines(stream: BinaryIO, encoding: str) -> Iterator[Line]:
    """One JSON object a line."""
    for line in physical(stream, encoding):
        if line.fault:
            yield _bad(line, line.fault)
        elif line.text.strip():
            yield _object(line)


def _object(line: _Text) -> Line:
    try:
        value = json.loads(line.text, parse_constant=_no_constant)
        if "\\u" in line.text:
            shown = json.dumps(value, ensure_ascii=False)
            # Half of a surrogate pair is no text: it could be neither landed nor stored.
            shown.encode()
            if _NUL.search(shown):
                return _bad(line, "nul_byte")
        if _deep(value):
            return _bad(line, "json")
    except (ValueError, RecursionError):
        return _bad(line, "json")
    return Line(line.number, value) if isinstance(value, dict) else _bad(line, "json")


def _deep(value: Any) -> bool:
    """Nested beyond what every later step can take."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


class _Hungry:
    """Feeds the csv parser, and notes when it asks for more than there is."""

    def __init__(self, lines: list[_Text]) -> None:
        self._texts, self.asked = [line.text + "\n" for line in lines], False

    def __iter__(self) -> _Hungry:
        return self

    def __next__(self) -> str:
        if not self._texts:
            self.asked = True
            raise StopIteration
        return self._texts.pop(0)


def _parse(lines: list[_Text], delimiter: str) -> list[str] | bool | None:
    """The fields; None when the record goes on in the next line, False when it is no CSV."""
    feed = _Hungry(lines)
    try:
        return next(csv.reader(feed, delimiter=delimiter, strict=True))
    except csv.Error:
        return None if feed.asked else False


def _room(lines: list[_Text]) -> bool:
    return len(lines) < MAX_LINES and sum(len(line.text) for line in lines) < MAX_LINE


def _bad(line: _Text, fault: str) -> Line:
    return Line(line.number, None, fault, line.text[:RAW])


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
