"""All rules of a book as a few DuckDB statements, by mask push-down.

Leaves are de-duplicated over all rules and evaluated once at their own grain into
`leaf_contact` and `leaf_account` (temporary tables of 64-bit words); each rule is then some bit
tests in one projection per entity. Rules that refer to segments read `member_contact` and
`member_account`, so the book runs in stages by depth of reference: between two stages the caller
turns what matches into who is a member (DESIGN §5: `stay` may keep someone whom the rule let go).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import duckdb

from audiencehub.model import Entity
from audiencehub.rules.book import RuleBook
from audiencehub.rules.compile.bind import Statement
from audiencehub.rules.compile.leaves import ENTITIES, collect, leaves_statement
from audiencehub.rules.compile.project import Projector
from audiencehub.rules.compile.traits import trait_statements
from audiencehub.rules.language.catalog import Catalog

Connection = duckdb.DuckDBPyConnection
Settle = Callable[[Connection, "Stage"], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Segments whose references are settled, with the statements that match them."""

    number: int
    segments: tuple[str, ...]
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """The compiled book: SQL without a clock. Equal books and bits share one."""

    leaves: tuple[Statement, ...]
    stages: tuple[Stage, ...]
    words: int
    """Mask words w0, w1, … of every match and member table."""
    leaf_count: int
    traits: tuple[Statement, ...] = ()
    """Leave trait_contact and trait_account, which leaves read."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program at a clock."""

    program: Program
    clock: datetime
    zone: ZoneInfo

    @property
    def stages(self) -> tuple[Stage, ...]:
        """In order of evaluation; most books have one or two."""
        return self.program.stages

    def run(self, connection: Connection, settle: Settle | None = None) -> None:
        """Leave tables match_contact(contact_id, w0, …) and match_account(account_id, w0, …).

        Every contact and account of the warehouse has a row; words are never null. After each
        stage `settle(connection, stage)` must bring member_contact and member_account (same
        columns, rows may be missing) up to date with the segments of that stage. Without it who
        matches is a member, and this writes the member tables itself.
        """
        self.evaluate_leaves(connection)
        for stage in self.stages:
            self.match(connection, stage)
            (settle or matches_are_members)(connection, stage)
        for entity in ENTITIES:
            connection.execute(f"DROP TABLE IF EXISTS temp.leaf_{entity}")

    def evaluate_leaves(self, connection: Connection) -> None:
        """The first part of `run`: every leaf once, into temporary tables of the connection."""
        for statement in (*self.program.traits, *self.program.leaves):
            connection.execute(statement.sql, statement.at(self.clock, self.zone))

    def match(self, connection: Connection, stage: Stage) -> None:
        """One stage of `run`: the projection, over the stages before it."""
        for statement in stage.statements:
            connection.execute(statement.sql, statement.at(self.clock, self.zone))


def matches_are_members(connection: Connection, _: Stage) -> None:
    """The plainest settlement: nobody stays longer than the rule says."""
    for entity in ENTITIES:
        connection.execute(
            f"CREATE OR REPLACE TABLE member_{entity} AS SELECT * FROM match_{entity}"
        )


def compile_book(
    book: RuleBook,
    clock: datetime,
    bits: Mapping[str, int] | None = None,
    catalog: Catalog | None = None,
    unfilled: frozenset[str] = frozenset(),
) -> Compiled:
    """The book at a clock (aware). `bits` gives each segment its stable bit: word bit // 64.

    A leaf over a table of `unfilled`, which no source fills, is unknown for everyone.
    The SQL is kept in memory by the hash of rules and bits; only the clock is bound anew.
    """
    if clock.tzinfo is None:
        raise ValueError("the clock needs a time zone")
    given = dict(bits if bits is not None else book.bits())
    program = _program(_Key(book, given, catalog or book.catalog, unfilled))
    return Compiled(program, clock, book.zone)


class _Key:
    """Hashes as the meaning of the book, so that the cache outlives a reload."""

    def __init__(
        self,
        book: RuleBook,
        bits: Mapping[str, int],
        catalog: Catalog,
        unfilled: frozenset[str],
    ) -> None:
        self.book, self.bits, self.catalog, self.unfilled = book, bits, catalog, unfilled
        meaning = f"{book.hash}|{sorted(bits.items())}|{catalog}|{sorted(unfilled)}"
        self.text = hashlib.sha256(meaning.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.text == self.text


@lru_cache(maxsize=16)
def _program(key: _Key) -> Program:
    segments = key.book.segments
    leaves = collect((one.when for one in segments.values()), key.unfilled)
    projectors = [Projector(entity, leaves, segments, key.bits) for entity in ENTITIES]
    order = key.book.order() or ((),)
    stages = tuple(
        Stage(
            number,
            names,
            tuple(
                Statement(one.sql(names, first=number == 0), {})
                for one in projectors
                if number == 0 or _touches(key.book, names, one.entity)
            ),
        )
        for number, names in enumerate(order)
    )
    count = sum(one.count for one in leaves.values())
    statements = tuple(leaves_statement(leaves[entity], key.catalog) for entity in ENTITIES)
    traits = trait_statements(key.book.traits, key.catalog, key.unfilled)
    return Program(statements, stages, projectors[0].words, count, traits)


def _touches(book: RuleBook, names: tuple[str, ...], entity: Entity) -> bool:
    return any(book.segments[name].of == entity for name in names)
