"""The part of regular expressions that means the same in RE2 and in Python."""

from __future__ import annotations

import re
from functools import lru_cache

CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
LIMIT = 200
_ALONE = "\u0131\u0130"
"""The dotless small and the dotted capital i: Python takes them for cases of i, RE2 does not."""
_QUANTIFIER = re.compile(r"[*+?]\??|\{\d{1,3}(,\d{0,3})?\}\??")


class BadPattern(ValueError):
    """The pattern cannot be evaluated alike everywhere; the message says why."""


@lru_cache(maxsize=512)
def translate(pattern: str) -> re.Pattern[str]:
    """The pattern as Python evaluates it with RE2's meaning; search, do not match.

    Allowed: literals, `.`, classes, groups, `|`, `^`, `$`, quantifiers up to 999, `\\d \\w \\s` and
    escaped punctuation, and `(?i)` in front. Raises BadPattern for look-around, back references,
    other escapes, and for repetitions of repetitions, whose time explodes.
    """
    if len(pattern) > LIMIT:
        raise BadPattern(f"is longer than {LIMIT} characters")
    flags, body = (re.IGNORECASE, pattern[4:]) if pattern.startswith("(?i)") else (0, pattern)
    try:
        return re.compile("".join(_Scanner(body, ignore=bool(flags)).tokens()), flags)
    except re.error as error:
        raise BadPattern(f"is no regular expression: {error}") from None


class _Scanner:
    """One walk over a pattern, turning each token into Python's spelling."""

    def __init__(self, body: str, *, ignore: bool) -> None:
        self.body = body
        self.ignore = ignore
        self.at = 0
        self.repeats = [False]
        self.inner = False

    def tokens(self) -> list[str]:
        out: list[str] = []
        closed = False
        while self.at < len(self.body):
            found = _QUANTIFIER.match(self.body, self.at)
            if found:
                out.append(self._quantifier(found, closed))
                closed = False
                continue
            char = self.body[self.at]
            self.at += 1
            closed = char == ")"
            out.append(self._token(char))
        return out

    def _quantifier(self, found: re.Match[str], closed: bool) -> str:
        grows = found[0][0] in "*+{"
        if grows and closed and self.inner:
            raise BadPattern("repeats a group that repeats inside; write it without nesting")
        self.repeats[-1] = self.repeats[-1] or grows
        self.at = found.end()
        return found[0]

    def _token(self, char: str) -> str:
        if char == "(":
            if self.body.startswith("?", self.at) and not self.body.startswith("?:", self.at):
                raise BadPattern("uses (?…); only (?: and a leading (?i) are available")
            if self.body.startswith(("?:)", ")"), self.at):
                raise BadPattern("has an empty group")
            self.repeats.append(False)
        elif char == ")" and len(self.repeats) > 1:
            self.inner = self.repeats.pop()
            self.repeats[-1] = self.repeats[-1] or self.inner
        elif char == "$":
            return r"\Z"
        elif char == "[":
            return self._cased(self._class())
        elif char == "\\":
            return self._cased(self._escape(inside=False))
        elif char == "{":
            raise BadPattern("has a { that counts nothing; escape it, or count below 1000")
        return self._cased(char) if char in f"iI{_ALONE}" else char

    def _cased(self, atom: str) -> str:
        """An atom that, where case is ignored, means of the i's what RE2 means."""
        if not self.ignore:
            return atom
        try:
            own = "".join(one for one in _ALONE if re.match(atom, one))
            own += "iI" if re.match(atom, "i") or re.match(atom, "I") else ""
        except re.error as error:
            raise BadPattern(f"is no regular expression: {error}") from None
        others = f"(?!(?-i:[iI{_ALONE}])){atom}"
        return f"(?:{others}|(?-i:[{own}]))" if own else f"(?:{others})"

    def _escape(self, *, inside: bool) -> str:
        char = self.body[self.at : self.at + 1]
        self.at += 1
        if char.lower() in CLASSES and char:
            if char.islower():
                return CLASSES[char] if inside else f"[{CLASSES[char]}]"
            if not inside:
                return f"[^{CLASSES[char.lower()]}]"
        if not char or char.isalnum() or char.isspace():
            raise BadPattern(f"uses \\{char}, which does not mean the same everywhere")
        return "\\" + char

    def _class(self) -> str:
        out = "["
        if self.body.startswith("^", self.at):
            out, self.at = "[^", self.at + 1
        start = self.at
        while self.at < len(self.body):
            char = self.body[self.at]
            self.at += 1
            if char == "]" and self.at - 1 > start:
                return out + "]"
            if char in "[]&|~":
                raise BadPattern(f"has an unescaped {char} in a class")
            if char == "-" and self.body.startswith("-", self.at):
                raise BadPattern("has -- in a class; escape the second one")
            out += self._escape(inside=True) if char == "\\" else char
        raise BadPattern("has a class that is not closed")
