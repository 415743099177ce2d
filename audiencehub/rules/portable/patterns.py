"""Patterns of the language as advanced regular expressions of PostgreSQL.

The language allows the part of RE2 that `language.patterns` describes. What differs is spelled out
here, so that neither the engine's options nor its collation decide: `.` is every character but the
newline, classes are lists of code points, `(?i)` becomes classes with all cases of a letter, and
repetitions above 255 are split
(https://www.postgresql.org/docs/15/functions-matching.html#POSIX-SYNTAX-DETAILS).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

Ranges = tuple[tuple[int, int], ...]
"""Code points from and to, both included; in order and apart from each other."""

_LAST = 0x10FFFF
_MOST = 255
_CLASS = {
    "d": ((0x30, 0x39),),
    "w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "s": ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)),
}
_REPEAT = re.compile(r"([*+?])\??|\{(\d+)(,?)(\d*)\}\??")


@lru_cache(maxsize=512)
def posix(pattern: str) -> str:
    """The pattern for PostgreSQL's operator `~`. It must be one that the language accepts."""
    ignore = pattern.startswith("(?i)")
    reader = _Reader(pattern[4 * ignore :], ignore)
    return "(?:" + reader.branches() + ")"


class _Reader:
    """Reads a pattern from left to right, writing each atom anew."""

    def __init__(self, body: str, ignore: bool) -> None:
        self.body, self.at, self.ignore = body, 0, ignore

    def branches(self) -> str:
        """Alternatives up to the end or the bracket that closes."""
        out: list[str] = []
        while self.at < len(self.body) and self.body[self.at] != ")":
            out.append(self._piece())
        return "".join(out)

    def _piece(self) -> str:
        char = self._next()
        if char in "|^$":
            return char
        if char == "(":
            self.at += 2 * self.body.startswith("?:", self.at)
            atom = f"(?:{self.branches()})"
            self.at += 1
        else:
            atom = self._atom(char)
        found = _REPEAT.match(self.body, self.at)
        if found is None:
            return atom
        self.at = found.end()
        return _repeated(atom, found)

    def _next(self) -> str:
        self.at += 1
        return self.body[self.at - 1]

    def _atom(self, char: str) -> str:
        if char == ".":
            return _set(((0x0A, 0x0A),), outside=True)
        if char == "[":
            outside = self.body.startswith("^", self.at)
            self.at += outside
            return _set(self._cased(self._members()), outside=outside)
        if char == "\\":
            escaped = self._next()
            if escaped.lower() in _CLASS:
                ranges = _CLASS[escaped.lower()]
                return _set(self._cased(ranges), outside=escaped.isupper())
            char = escaped
        ranges = self._cased(((ord(char), ord(char)),))
        return (
            _char(ord(char)) if len(ranges) == 1 and ranges[0][0] == ranges[0][1] else _set(ranges)
        )

    def _members(self) -> Ranges:
        """The ranges of a class, up to its closing bracket, which may stand first as itself."""
        found: list[tuple[int, int]] = []
        first = True
        while first or self.body[self.at] != "]":
            first = False
            low = self._member()
            if isinstance(low, tuple):
                found += low
                continue
            high = low
            if self.body[self.at] == "-" and self.body[self.at + 1] != "]":
                self.at += 1
                end = self._member()
                assert isinstance(end, int), "the language refuses a range that ends in a class"
                high = end
            found.append((low, high))
        self.at += 1
        return _merged(found)

    def _member(self) -> int | Ranges:
        char = self._next()
        if char != "\\":
            return ord(char)
        escaped = self._next()
        return _CLASS[escaped] if escaped in _CLASS else ord(escaped)

    def _cased(self, ranges: Ranges) -> Ranges:
        if not self.ignore:
            return ranges
        orbits = _orbits()
        extra = [
            (other, other)
            for point, others in orbits.items()
            if any(low <= point <= high for low, high in ranges)
            for other in others
        ]
        return _merged([*ranges, *extra])


def _repeated(atom: str, found: re.Match[str]) -> str:
    """An atom so many times; how greedy makes no difference to whether it is found."""
    if found[1]:
        return atom + found[1]
    least = int(found[2])
    most = least if not found[3] else int(found[4]) if found[4] else None
    if max(least, most or 0) <= _MOST:
        return atom + found[0].removesuffix("?")
    parts = [f"{atom}{{{count}}}" for count in _split(least)]
    if most is None:
        parts.append(f"{atom}*")
    else:
        parts += [f"{atom}{{0,{count}}}" for count in _split(most - least)]
    return f"(?:{''.join(parts)})"


def _split(count: int) -> Iterable[int]:
    while count > 0:
        yield min(count, _MOST)
        count -= _MOST


def _set(ranges: Ranges, *, outside: bool = False) -> str:
    if not ranges:
        return "[^\\u0001-\\U0010FFFF]" if not outside else "[\\u0001-\\U0010FFFF]"
    inner = "".join(
        _point(low) if low == high else f"{_point(low)}-{_point(high)}" for low, high in ranges
    )
    return f"[{'^' * outside}{inner}]"


def _char(point: int) -> str:
    char = chr(point)
    if char.isalnum() or point > 0x7F or char in " _":
        return char
    return "\\" + char if char.isprintable() else _point(point)


def _point(point: int) -> str:
    """A code point inside a class, where few characters stand for themselves everywhere."""
    char = chr(point)
    if char.isascii() and char.isalnum():
        return char
    return f"\\u{point:04X}" if point <= 0xFFFF else f"\\U{point:08X}"


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    out: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return tuple(out)


@cache
def _orbits() -> dict[int, tuple[int, ...]]:
    """Each code point that has other cases, with all of them: Unicode's simple case folding."""
    folded: dict[str, list[int]] = {}
    for point in range(_LAST + 1):
        char = chr(point)
        low = char.casefold()
        if len(low) != 1:
            low = char.lower()
        if len(low) == 1 and low != char:
            folded.setdefault(low, [ord(low)]).append(point)
    return {point: tuple(many) for many in folded.values() for point in many}


__all__ = ["posix"]
