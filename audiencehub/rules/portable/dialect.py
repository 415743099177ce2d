"""What engines say differently. To add one, write what `Dialect` lists and a fixture for its tests.

The base class is PostgreSQL-flavoured standard SQL; a dialect overrides what its engine lacks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from audiencehub.errors import ConfigError
from audiencehub.rules.language.form import Span
from audiencehub.rules.portable.keywords import RESERVED
from audiencehub.rules.portable.patterns import posix

_SIMPLE = re.compile(r"[a-z_][a-z0-9_]*")


class Dialect:
    """One engine's SQL. Arguments and answers are SQL, but for names and values."""

    name: ClassVar[str]
    text: ClassVar[str] = "VARCHAR"
    id: ClassVar[str] = "BIGINT"

    @property
    def types(self) -> Mapping[str, str]:
        """The column type of each type that a trait may have; decimals keep six places."""
        return {
            "integer": "BIGINT",
            "money": "DECIMAL(38, 6)",
            "decimal": "DECIMAL(38, 6)",
            "number": "DOUBLE PRECISION",
            "text": self.text,
            "boolean": "BOOLEAN",
            "date": "DATE",
            "instant": "TIMESTAMP",
        }

    def quoted(self, name: str) -> str:
        """An identifier of the catalog; in quotes only where it needs them."""
        if _SIMPLE.fullmatch(name) and name not in RESERVED:
            return name
        return '"' + name.replace('"', '""') + '"'

    def mark(self, name: str) -> str:
        """Where a bound value goes."""
        return f"${name}"

    def value(self, value: object) -> object:
        """A literal as the engine takes it. ConfigError where it cannot hold one."""
        return value

    def pattern(self, pattern: str) -> str:
        """A regular expression of the language, as the engine writes it."""
        return pattern

    def has_any(self, values: str, wanted: Sequence[str]) -> str:
        """A list of texts has one of these; not true where the list is null."""
        raise NotImplementedError

    def contains(self, value: str, part: str) -> str:
        """A text holds another."""
        return f"position({part} IN {value}) > 0"

    def starts_with(self, value: str, part: str) -> str:
        """A text begins with another."""
        return f"starts_with({value}, {part})"

    def ends_with(self, value: str, part: str) -> str:
        """A text ends with another."""
        raise NotImplementedError

    def matches(self, value: str, pattern: str) -> str:
        """A pattern is found in a text."""
        raise NotImplementedError

    def bytewise(self, value: str) -> str:
        """A text to sort by, in the order of its code points."""
        return value

    def exact(self, number: str, below: str = "1e22") -> str:
        """A double as a decimal with six places; null where it is too large, infinite or NaN.

        Through its text, the shortest that means the same double: a direct cast keeps fifteen
        digits in one engine and adds digits of its own in another. NaN is above every number.
        """
        spelled = f"CAST(CAST({number} AS {self.text}) AS DECIMAL(28, 6))"
        return f"CASE WHEN abs({number}) < {below} THEN {spelled} END"

    def local_day(self, moment: str, zone: str) -> str:
        """The calendar day of a UTC timestamp in a time zone."""
        return f"CAST(({moment} AT TIME ZONE 'UTC') AT TIME ZONE {zone} AS DATE)"

    def midnight(self, day: str, zone: str) -> str:
        """The UTC timestamp at which a day begins in a time zone."""
        return f"(CAST({day} AS TIMESTAMP) AT TIME ZONE {zone}) AT TIME ZONE 'UTC'"

    def interval(self, span: Span) -> str:
        """A duration to add to a date or timestamp; months and years clip to the month's end."""
        return f"INTERVAL '{span.count} {span.unit}'"

    def quotient(self, part: str, whole: str) -> str:
        """The quotient of two whole numbers from nought on, without its fraction."""
        raise NotImplementedError

    def cut(self, part: str, whole: str) -> str:
        """The quotient of decimals, cut off toward nought after six places; null over nought."""
        raise NotImplementedError

    def element(self, many: str, place: str) -> str:
        """The decimal at a place, from 1, of one bound list."""
        return f"(CAST({many} AS DECIMAL(7, 6)[]))[{place}]"

    def is_one_of(self, value: str, many: str) -> str:
        """A text is in one bound list."""
        return f"{value} = ANY(CAST({many} AS {self.text}[]))"


class DuckDB(Dialect):
    """DuckDB 2, with its own regular expressions (RE2), which the language follows."""

    name = "duckdb"

    def has_any(self, values: str, wanted: Sequence[str]) -> str:
        """As a function."""
        return f"list_has_any({values}, [{', '.join(wanted)}])"

    def contains(self, value: str, part: str) -> str:
        """As a function."""
        return f"contains({value}, {part})"

    def ends_with(self, value: str, part: str) -> str:
        """As a function."""
        return f"ends_with({value}, {part})"

    def quotient(self, part: str, whole: str) -> str:
        """`/` makes doubles here."""
        return f"({part}) // {whole}"

    def cut(self, part: str, whole: str) -> str:
        """Whole millionths are divided, since a division of decimals makes doubles here."""
        high, low = (
            f"CAST(CAST({one} AS DECIMAL(38, 6)) * 1000000 AS HUGEINT)" for one in (part, whole)
        )
        found = f"CAST({high} * 1000000 // nullif({low}, 0) AS DECIMAL(38, 0))"
        return f"{found} * CAST(0.000001 AS DECIMAL(6, 6))"

    def matches(self, value: str, pattern: str) -> str:
        """Partial match."""
        return f"regexp_matches({value}, {pattern})"


class Postgres(Dialect):
    """PostgreSQL 12 and later, with psycopg's marks for bound values."""

    name = "postgres"
    text = "TEXT"

    def mark(self, name: str) -> str:
        """https://www.psycopg.org/psycopg3/docs/basic/params.html"""
        return f"%({name})s"

    def value(self, value: object) -> object:
        """https://www.postgresql.org/docs/15/datatype-character.html: no NUL in a text."""
        if isinstance(value, str) and "\0" in value:
            raise ConfigError(
                "a value holds the character NUL, which PostgreSQL cannot store",
                hint="Take the character out of the rule",
            )
        return value

    def pattern(self, pattern: str) -> str:
        """An advanced regular expression that finds what RE2 finds."""
        return posix(pattern)

    def has_any(self, values: str, wanted: Sequence[str]) -> str:
        """Overlap of arrays."""
        return f"{values} && ARRAY[{', '.join(wanted)}]"

    def ends_with(self, value: str, part: str) -> str:
        """There is no function of that name."""
        return f"right({value}, length({part})) = {part}"

    def quotient(self, part: str, whole: str) -> str:
        """`/` of whole numbers leaves the fraction out."""
        return f"({part}) / {whole}"

    def cut(self, part: str, whole: str) -> str:
        """`div` is exact and leaves the fraction out."""
        high = f"CAST({part} AS DECIMAL(38, 6)) * 1000000"
        return f"div({high}, nullif(CAST({whole} AS DECIMAL(38, 6)), 0)) * 0.000001"

    def matches(self, value: str, pattern: str) -> str:
        """Advanced regular expressions: \
https://www.postgresql.org/docs/15/functions-matching.html"""
        return f"{value} ~ {pattern}"

    def bytewise(self, value: str) -> str:
        """Collation C sorts UTF-8 by code point."""
        return f'{value} COLLATE "C"'


DUCKDB, POSTGRES = DuckDB(), Postgres()
DIALECTS: dict[str, Dialect] = {one.name: one for one in (DUCKDB, POSTGRES)}


def dialect_named(name: str) -> Dialect:
    """The dialect of that name. ConfigError with those that there are."""
    if name not in DIALECTS:
        known = ", ".join(sorted(DIALECTS))
        raise ConfigError(f"there is no SQL dialect {name!r}: {known}", hint=f"Use one of: {known}")
    return DIALECTS[name]
