"""A whole rule book on another engine: one INSERT … SELECT for each stage of references."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from audiencehub.rules.book import RuleBook, Segment
from audiencehub.rules.language.catalog import Catalog
from audiencehub.rules.language.form import All
from audiencehub.rules.portable.dialect import dialect_named
from audiencehub.rules.portable.entities import MEMBER
from audiencehub.rules.portable.query import Query, Scope
from audiencehub.rules.portable.text import clauses, nested, where
from audiencehub.rules.portable.traits import statements
from audiencehub.rules.portable.tree import write
from audiencehub.rules.portable.values import Statement, Values

MATCHED = "matched"
"""The table of what matches: `segment` and `id`."""


class Connection(Protocol):
    """What a client of the engine must offer: DuckDB's and psycopg's connections do."""

    def execute(self, query: Any, params: Any = None, /) -> Any:
        """Run one statement with named values."""
        ...


Settle = Callable[[Connection, "PortableStage"], None]


@dataclass(frozen=True, slots=True)
class PortableStage:
    """Segments whose references are settled, and the statement that matches them all."""

    number: int
    segments: tuple[str, ...]
    statement: Statement


def sql(
    segment: Segment,
    book: RuleBook,
    dialect: str = "duckdb",
    catalog: Catalog | None = None,
    unfilled: frozenset[str] = frozenset(),
) -> Statement:
    """One rule as one SELECT of `id`: each entity that matches, once, in no order.

    It reads the canonical tables, and `member(segment, id)` where the rule names segments. What is
    asked of a table of `unfilled` is unknown. ConfigError for what the dialect cannot say.
    """
    values = Values()
    text = _select(
        segment, Query(book, dialect_named(dialect), values, catalog or book.catalog, unfilled)
    )
    return Statement(text, values.all())


@dataclass(frozen=True, slots=True)
class Portable:
    """A rule book as SQL of one dialect."""

    book: RuleBook
    dialect: str = "duckdb"
    catalog: Catalog | None = None
    unfilled: frozenset[str] = frozenset()

    def sql(self, name: str) -> Statement:
        """The SELECT of one segment's rule, as `sql` describes it."""
        segment = self.book.segments[name]
        return sql(segment, self.book, self.dialect, self.catalog, self.unfilled)

    def stages(self) -> tuple[PortableStage, ...]:
        """In order of evaluation: all rules of a stage in one statement that fills `matched`."""
        return tuple(
            PortableStage(number, names, self._together(names))
            for number, names in enumerate(self.book.order())
            if names
        )

    def run(self, connection: Connection, clock: datetime, settle: Settle | None = None) -> None:
        """Leave the tables matched(segment, id) and member(segment, id), both made anew, and those
        of the traits where the book has some.

        After each stage `settle(connection, stage)` must bring `member` up to date with its
        segments; without it who matches is a member. The connection's transaction is not ended.
        """
        engine = dialect_named(self.dialect)
        for table in (MATCHED, MEMBER):
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            columns = f"segment {engine.text}, id {engine.id}"
            connection.execute(f"CREATE TABLE {table}({columns})")
        for one in self.traits():
            connection.execute(one.sql, one.at(clock, self.book.zone))
        for stage in self.stages():
            connection.execute(stage.statement.sql, stage.statement.at(clock, self.book.zone))
            (settle or self._matches_are_members)(connection, stage)

    def traits(self) -> tuple[Statement, ...]:
        """What makes the tables trait_account and trait_contact anew, in order."""
        return tuple(statements(self._query(Values()))) if self.book.traits else ()

    def _query(self, values: Values) -> Query:
        catalog = self.catalog or self.book.catalog
        return Query(self.book, dialect_named(self.dialect), values, catalog, self.unfilled)

    def _together(self, names: tuple[str, ...]) -> Statement:
        engine, values = dialect_named(self.dialect), Values()
        selects = []
        for name in names:
            query = self._query(values)
            rule = _select(self.book.segments[name], query)
            label = f"CAST({engine.mark(values.name(name))} AS {engine.text})"
            selects.append(f"SELECT {label}, s.id\nFROM {nested(rule)} AS s")
        text = f"INSERT INTO {MATCHED}(segment, id)\n" + "\nUNION ALL\n".join(selects)
        return Statement(text, values.all())

    def _matches_are_members(self, connection: Connection, stage: PortableStage) -> None:
        engine, values = dialect_named(self.dialect), Values()
        marks = ", ".join(engine.mark(values.name(name)) for name in stage.segments)
        connection.execute(
            f"INSERT INTO {MEMBER}(segment, id) "
            f"SELECT segment, id FROM {MATCHED} WHERE segment IN ({marks})",
            dict(values.all()),
        )


def _select(segment: Segment, query: Query) -> str:
    scope, when = Scope(query, segment.of), segment.when
    parts = [write(one, scope) for one in (when.parts if isinstance(when, All) else (when,))]
    return query.statement(clauses(f"SELECT {scope.id} AS id", scope.source(), where(parts)))
