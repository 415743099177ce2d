"""Strict YAML: one small document, plain scalars by the YAML 1.2 core, every node with its line.

Built from the parser's events alone, so that nothing of the file is ever constructed as an
object. PyYAML's own loader keeps the last of two equal keys, expands aliases and reads `no` as
false; here each of these is a fault with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from audiencehub.errors import Fault

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf: its typed value, and the text as written. None is YAML's null."""

    value: str | int | Decimal | bool | None
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Seq:
    """A list."""

    items: tuple[Tree, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Map:
    """A mapping with text keys, each once, in the order written."""

    entries: tuple[tuple[Scalar, Tree], ...]
    line: int

    def get(self, name: str) -> Tree | None:
        """The value of a key, if it is there."""
        return next((value for key, value in self.entries if key.text == name), None)


@dataclass(frozen=True, slots=True)
class Broken:
    """A node that was refused; its fault is recorded already."""

    line: int


Tree = Scalar | Seq | Map | Broken


def plain(tree: Tree) -> Any:
    """The tree as Python lists, dicts and values; decimals as floats."""
    if isinstance(tree, Seq):
        return [plain(one) for one in tree.items]
    if isinstance(tree, Map):
        return {key.text: plain(value) for key, value in tree.entries}
    if isinstance(tree, Scalar):
        return float(tree.value) if isinstance(tree.value, Decimal) else tree.value
    return None


def read(path: str, raw: bytes) -> tuple[Tree | None, list[Fault]]:
    """The tree of one file and its faults; no tree when it is no YAML at all."""
    if len(raw) > MAX_BYTES:
        return None, [Fault(path, 1, f"is larger than {MAX_BYTES // 1024} KiB", "Split the file")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return None, [Fault(path, line, "is not UTF-8 text", "Save the file as UTF-8")]
    composer = _Composer(path, text)
    try:
        return composer.document(), composer.faults
    except _TooMuch as error:
        return None, [*composer.faults, Fault(path, error.line, str(error), "Split the rule")]
    except yaml.YAMLError as error:
        return None, [*composer.faults, _syntax(path, text, error)]


class _TooMuch(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _syntax(path: str, text: str, error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    position = getattr(error, "position", None)
    line = 1
    if mark is not None:
        line = min(mark.line + 1, text.count("\n") + 1)
    elif isinstance(position, int):
        line = text[:position].count("\n") + 1
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    return Fault(path, line, f"is not YAML: {problem}", "Check quotes, colons and indentation")


class _Composer:
    """Builds the tree from events, with limits checked before anything grows."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.faults: list[Fault] = []
        self.nodes = 0
        self.events: Iterator[Any] = yaml.parse(text, Loader=_PARSER)

    def document(self) -> Tree | None:
        tree: Tree | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if event.version or event.tags:
                    self._fault(event, "has a % directive", "Remove the directive")
                if tree is not None:
                    self._fault(event, "has a second document", "One file holds one segment")
                    return tree
            elif not isinstance(
                event, yaml.StreamStartEvent | yaml.StreamEndEvent | yaml.DocumentEndEvent
            ):
                tree = self._node(event, 1)
        return tree

    def _fault(self, event: Any, message: str, hint: str) -> None:
        self.faults.append(Fault(self.path, event.start_mark.line + 1, message, hint))

    def _node(self, event: Any, depth: int) -> Tree:
        line = event.start_mark.line + 1
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _TooMuch(f"has more than {MAX_NODES} nodes", line)
        if depth > MAX_DEPTH:
            raise _TooMuch(f"is nested deeper than {MAX_DEPTH} levels", line)
        if isinstance(event, yaml.AliasEvent):
            self._fault(event, f"uses the alias *{event.anchor}", "Write the value out")
            return Broken(line)
        if event.anchor:
            self._fault(event, f"sets the anchor &{event.anchor}", "Remove the anchor")
        tagged = bool(event.tag)
        if tagged:
            self._fault(event, f"uses the tag {event.tag}", "Remove the tag")
        tree: Tree
        if isinstance(event, yaml.ScalarEvent):
            tree = _scalar(event, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            tree = self._seq(line, depth)
        else:
            tree = self._map(line, depth)
        return Broken(line) if tagged else tree

    def _seq(self, line: int, depth: int) -> Seq:
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Seq(tuple(items), line)

    def _map(self, line: int, depth: int) -> Map:
        entries: dict[str, tuple[Scalar, Tree]] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self.events), depth + 1)
            if not isinstance(key, Scalar):
                if not isinstance(key, Broken):
                    self._fault(event, "has a key that is no word", "Use a plain word as key")
            elif key.text == "<<":
                self._fault(event, "uses a merge key", "Write the keys out")
            elif key.text in entries:
                first = entries[key.text][0].line
                self._fault(
                    event, f"has the key {key.text!r} twice; first on line {first}", "Remove one"
                )
            else:
                entries[key.text] = (key, value)
        return Map(tuple(entries.values()), line)


def _scalar(event: Any, line: int) -> Scalar:
    text: str = event.value
    if not event.implicit[0]:
        return Scalar(text, text, line)
    value: str | int | Decimal | bool | None = text
    if text in _NULLS:
        value = None
    elif text in ("true", "false"):
        value = text == "true"
    elif _INTEGER.fullmatch(text):
        value = int(text)
    elif _FLOAT.fullmatch(text):
        value = Decimal(text)
    return Scalar(value, text, line)
