"""Enough SOQL for the clients seen: SELECT, WHERE, ORDER BY, LIMIT; errors in the vendor's words.

Facts: SOQL and SOSL Reference; comparisons of text ignore case, ids do not, nulls sort first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.salesforce.sandbox.schema import Field, Schema, to_18

Json = dict[str, Any]
Test = Callable[[Json], bool]
TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')"
    r"|(?P<instant>\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_.]*)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),]))",
    re.S,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class SoqlError(Exception):
    """The query is refused; carries the vendor's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(slots=True)
class Query:
    """A parsed query. `path` of a selected field is its own name or `Relation.Name`."""

    entity: str
    select: list[str]
    count: bool
    test: Test
    order: list[tuple[str, bool, bool]] = field(default_factory=list)
    """Field, descending, nulls first."""
    limit: int | None = None
    offset: int = 0


def literal(kind: str, raw: str) -> Any:
    """A token's value; instants become the stored spelling in UTC."""
    if kind == "text":
        return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), raw[1:-1], flags=re.S)
    if kind == "number":
        return float(raw)
    if kind == "instant" and "T" in raw:
        return stamp(datetime.fromisoformat(raw))
    if kind == "word" and raw.lower() in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[raw.lower()]
    if kind == "instant":
        return raw
    raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{raw}'")


def stamp(when: datetime) -> str:
    """`2026-11-16T09:00:00.000+0000`: the vendor keeps whole seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class Parser:
    """One query text against one schema."""

    def __init__(
        self, text: str, schema: Schema, lookup: Callable[[str, str], Json | None]
    ) -> None:
        self.tokens = self._tokens(text)
        self.at, self.schema, self.lookup = 0, schema, lookup
        self.fields: Mapping[str, Field] = {}
        self.entity = ""
        self.steps: dict[str, list[tuple[str, str]]] = {}
        """For each path, the references to follow and the sObjects they lead to."""

    @staticmethod
    def _tokens(text: str) -> list[tuple[str, str]]:
        found, at, text = [], 0, text.rstrip()
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match or not match.lastgroup:
                where = f"ERROR at Row:1:Column:{at + 1}"
                raise SoqlError(
                    "MALFORMED_QUERY",
                    f"\n{text[:at]}\n{' ' * at}^\n{where}\nunexpected token: '{text[at]}'",
                )
            found.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        return found

    def word(self) -> str:
        """The next token in lower case, without taking it; empty at the end."""
        return self.tokens[self.at][1].lower() if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        """Take the next token; with arguments it must be one of them."""
        if self.at >= len(self.tokens) or (wanted and self.word() not in wanted):
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{self.word() or '<EOF>'}'")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def maybe(self, word: str) -> bool:
        """Take the next token if it is this one."""
        if self.word() != word:
            return False
        self.at += 1
        return True

    def parse(self) -> Query:
        """The whole query. Raises SoqlError as the vendor would."""
        self.take("select")
        select, count = [self.take()], False
        if select[0].lower() == "count" and self.maybe("("):
            self.take(")")
            count, select = True, []
        while not count and self.maybe(","):
            select.append(self.take())
        self.take("from")
        name = self.take()
        entity = self.schema.find(name)
        if entity is None:
            raise SoqlError(
                "INVALID_TYPE",
                f"\nSELECT … FROM {name}\n^\nERROR at Row:1:Column:1\n"
                f"sObject type '{name}' is not supported.",
            )
        self.entity, self.fields = entity, self.schema.fields(entity)
        query = Query(entity, [self.path(one)[0] for one in select], count, lambda _: True)
        if self.maybe("where"):
            query.test = self.either()
        self._tail(query)
        if self.at < len(self.tokens):
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{self.word()}'")
        return query

    def _tail(self, query: Query) -> None:
        if self.maybe("order"):
            self.take("by")
            while True:
                path = self.path(self.take())[0]
                down = self.word() == "desc"
                if self.word() in ("asc", "desc"):
                    self.take()
                first = True
                if self.maybe("nulls"):
                    first = self.take("first", "last").lower() == "first"
                query.order.append((path, down, first))
                if not self.maybe(","):
                    break
        if self.maybe("limit"):
            query.limit = int(self.take())
        if self.maybe("offset"):
            query.offset = int(self.take())

    def path(self, name: str) -> tuple[str, Field]:
        """The field's own spelling. Raises INVALID_FIELD for one that is absent or hidden."""
        relation, _, last = name.rpartition(".")
        entity, fields, spelled = self.entity, self.fields, ""
        steps: list[tuple[str, str]] = []
        for step in filter(None, relation.split(".")):
            link = next((f for f in fields.values() if f.relation.lower() == step.lower()), None)
            if link is None and step.lower() == entity.lower():
                continue
            if link is None:
                raise SoqlError(
                    "INVALID_FIELD", f"Didn't understand relationship '{step}' in field path."
                )
            spelled, entity = f"{spelled}{link.relation}.", link.to
            fields = self.schema.fields(entity)
            steps.append((link.name, link.to))
        found = fields.get(last.lower())
        if found is None:
            raise SoqlError(
                "INVALID_FIELD",
                f"\nSELECT {name}\n       ^\nERROR at Row:1:Column:8\nNo such "
                f"column '{last}' on entity '{entity}'. If you are attempting to use a custom "
                "field, be sure to append the '__c' after the custom field name.",
            )
        self.steps[spelled + found.name] = steps
        return spelled + found.name, found

    def value(self, record: Json, path: str) -> Any:
        """What the record, or the one it points to, holds at that path."""
        if "." not in path:
            return record.get(path)
        for link, entity in self.steps[path]:
            other = self.lookup(entity, record.get(link) or "")
            if other is None:
                return None
            record = other
        return record.get(path.rpartition(".")[2])

    def either(self) -> Test:
        """`a OR b`."""
        tests = [self.both()]
        while self.maybe("or"):
            tests.append(self.both())
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def both(self) -> Test:
        """`a AND b`."""
        tests = [self.single()]
        while self.maybe("and"):
            tests.append(self.single())
        return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)

    def single(self) -> Test:
        """A comparison, a parenthesis, or NOT of one."""
        if self.maybe("not"):
            inner = self.single()
            return lambda record: not inner(record)
        if self.maybe("("):
            inner = self.either()
            self.take(")")
            return inner
        path, spec = self.path(self.take())
        if spec.kind in ("textarea", "address"):
            raise SoqlError("INVALID_FIELD", f"field '{path}' can not be filtered in a query call")
        sign = self.take().lower()
        if sign == "not":
            sign = f"not {self.take('in').lower()}"
        if sign in ("in", "not in", "includes", "excludes"):
            return self._among(path, spec, sign)
        kind, raw = self._next()
        if sign == "like":
            # A backslash before % or _ lasts until the pattern is read.
            raw = re.sub(r"\\([%_])", r"\\\\\1", raw)
        return self._compare(path, spec, sign, literal(kind, raw))

    def _among(self, path: str, spec: Field, sign: str) -> Test:
        self.take("(")
        values = [literal(*self._next())]
        while self.maybe(","):
            values.append(literal(*self._next()))
        self.take(")")
        if sign in ("includes", "excludes"):
            sets = [set(str(value).split(";")) for value in values]
            wanted = sign == "includes"
            return lambda record: (
                any(one <= set((self.value(record, path) or "").split(";")) for one in sets)
                is wanted
            )
        keys, wanted = {fold(value, spec) for value in values}, sign == "in"
        return lambda record: (fold(self.value(record, path), spec) in keys) is wanted

    def _next(self) -> tuple[str, str]:
        self.take()
        return self.tokens[self.at - 1]

    def _compare(self, path: str, spec: Field, sign: str, value: Any) -> Test:
        if spec.kind == "datetime" and isinstance(value, str) and "T" not in value:
            raise SoqlError(
                "INVALID_FIELD",
                f"value of filter criterion for field '{path}' must "
                "be of type dateTime and should not be enclosed in quotes",
            )
        wanted = fold(value, spec)
        if sign == "=":
            return lambda record: fold(self.value(record, path), spec) == wanted
        if sign in ("!=", "<>"):
            return lambda record: fold(self.value(record, path), spec) != wanted
        if sign == "like":
            pattern = re.compile(like(str(value)), re.I | re.S)
            return lambda record: bool(pattern.fullmatch(str(self.value(record, path) or "")))
        compare: dict[str, Callable[[Any, Any], bool]] = {
            "<": lambda a, b: a < b,
            "<=": lambda a, b: a <= b,
            ">": lambda a, b: a > b,
            ">=": lambda a, b: a >= b,
        }
        if sign not in compare:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{sign}'")

        def test(record: Json) -> bool:
            have = fold(self.value(record, path), spec)
            return have is not None and wanted is not None and compare[sign](have, wanted)

        return test


def like(pattern: str) -> str:
    """A LIKE pattern as a regular expression; a backslash takes the next character as it is."""
    parts = re.findall(r"\\.|.", pattern, re.S)
    wild = {"%": ".*", "_": "."}
    return "".join(wild.get(one) or re.escape(one[-1]) for one in parts)


def fold(value: Any, spec: Field) -> Any:
    """The form in which values of this field compare."""
    if isinstance(value, bool) or value is None:
        return value
    if spec.kind in ("int", "currency", "double"):
        return float(value)
    if spec.kind in ("id", "reference"):
        return to_18(str(value))
    return str(value).lower() if spec.kind not in ("datetime", "date") else str(value)


def run(query: Query, parser: Parser, records: list[Json], *, deleted: bool) -> list[Json]:
    """The records that match, ordered and limited; deleted ones only when asked for."""
    found = [one for one in records if (deleted or not one.get("IsDeleted")) and query.test(one)]
    for path, down, first in reversed(query.order):
        spec = parser.path(path)[1]

        def key(
            record: Json,
            path: str = path,
            spec: Field = spec,
            first: bool = first,
            down: bool = down,
        ) -> tuple[bool, Any]:
            value = fold(parser.value(record, path), spec)
            return (value is None) == (first == down), "" if value is None else value

        found.sort(key=key, reverse=down)
    end = None if query.limit is None else query.offset + query.limit
    return found[query.offset : end]
