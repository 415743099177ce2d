"""All rules of a book as a few DuckDB statements, by mask push-down.

Leaves are de-duplicated over all rules and evaluated once at their own grain into
`leaf_contact` and `leaf_account` (tables of 64-bit words); each rule is then some bit
tests in one projection per entity. Rules that refer to segments with `stay` read `member_contact`
and `member_account`, so the book runs in stages: between two stages the caller turns what matches
into who is a member (DESIGN §5: `stay` may keep someone whom the rule let go). Other references
are answered by the condition of the segment, in the same stage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import duckdb

from audiencehub.model import Entity
from audiencehub.rules.book import RuleBook
from audiencehub.rules.compile.bind import Statement
from audiencehub.rules.compile.dense import write_leaves
from audiencehub.rules.compile.leaves import (
    ENTITIES,
    Leaves,
    collect,
    leaves_parts,
    leaves_select,
)
from audiencehub.rules.compile.project import Projector
from audiencehub.rules.compile.staging import stages as staged
from audiencehub.rules.compile.traits import trait_statements
from audiencehub.rules.compile.words import WORD
from audiencehub.rules.language.catalog import CATALOG, Catalog
from audiencehub.rules.language.form import Contacts, walk

Connection = duckdb.DuckDBPyConnection
Settle = Callable[[Connection, "Stage"], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Segments whose references are settled, with the statements that match them."""

    number: int
    segments: tuple[str, ...]
    projections: tuple[Projection, ...]


@dataclass(frozen=True, slots=True)
class Projection:
    """One entity's part of a stage."""

    entity: Entity
    whole: Statement
    """SELECT over everyone, with the bits of the stages before."""
    alone: Statement
    """SELECT of the bits of this stage alone."""
    masks: tuple[int, ...]
    """The bits of this stage in each word."""


@dataclass(frozen=True, slots=True)
class Program:
    """The compiled book: SQL without a clock. Equal books and bits share one."""

    leaves: tuple[tuple[Entity, Statement], ...]
    stages: tuple[Stage, ...]
    words: int
    """Mask words w0, w1, … of every match and member table."""
    leaf_count: int
    traits: tuple[Statement, ...] = ()
    """Leave trait_contact and trait_account, which leaves read."""
    sets: Mapping[Entity, Leaves] = field(default_factory=dict)
    """What `leaves` evaluates."""
    parts: Mapping[Entity, tuple[Statement, ...]] = field(default_factory=dict)
    """The same, each scan by itself."""
    catalog: Catalog = CATALOG
    crews: bool = False
    """Some rule of accounts reads their contacts."""

    @property
    def key(self) -> str:
        """Changes when any statement or bound value does, clocks left out."""
        parts = [*self.traits, *(one for _, one in self.leaves)]
        parts += [one.whole for stage in self.stages for one in stage.projections]
        meaning = "|".join(f"{one.sql}|{sorted(one.values.items())}" for one in parts)
        return hashlib.sha256(meaning.encode()).hexdigest()[:16]


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
        self.note(connection)

    def evaluate_leaves(self, connection: Connection) -> None:
        """The first part of `run`: every leaf once, into leaf_contact and leaf_account."""
        for statement in self.program.traits:
            connection.execute(statement.sql, self.bound(statement))
        for entity, statement in self.program.leaves:
            connection.execute(f"DROP TABLE IF EXISTS temp.leaf_{entity}")
            parts = [(one.sql, self.bound(one)) for one in self.program.parts[entity]]
            if not write_leaves(connection, entity, parts):
                sql = f"CREATE OR REPLACE TABLE leaf_{entity} AS {statement.sql}"
                connection.execute(sql, self.bound(statement))

    def match(self, connection: Connection, stage: Stage) -> None:
        """One stage of `run`: the projection, over the stages before it."""
        for one in stage.projections:
            sql = f"CREATE OR REPLACE TABLE match_{one.entity} AS {one.whole.sql}"
            connection.execute(sql, self.bound(one.whole))

    def bound(self, statement: Statement) -> dict[str, object]:
        """The values of a statement at the clock."""
        return statement.at(self.clock, self.zone)

    def note(self, connection: Connection) -> None:
        """Leave what the tables are of: evaluated(program, clock as naive UTC)."""
        connection.execute(
            "CREATE OR REPLACE TABLE evaluated AS "
            "SELECT $key::VARCHAR AS program, $clock::TIMESTAMP AS clock",
            {"key": self.program.key, "clock": self.clock.astimezone(UTC).replace(tzinfo=None)},
        )


def matches_are_members(connection: Connection, _: Stage) -> None:
    """The plainest settlement: nobody stays longer than the rule says."""
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
    ).fetchall()
    for entity in ENTITIES:
        if (f"member_{entity}",) in tables:
            connection.execute(f"DROP TABLE member_{entity}")
        connection.execute(
            f"CREATE OR REPLACE VIEW member_{entity} AS SELECT * FROM match_{entity}"
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
    order = staged(key.book) or ((),)
    stages = tuple(
        Stage(
            number,
            names,
            tuple(
                _projection(one, names, first=number == 0)
                for one in projectors
                if number == 0 or _touches(key.book, names, one.entity)
            ),
        )
        for number, names in enumerate(order)
    )
    count = sum(one.count for one in leaves.values())
    statements = tuple((one, leaves_select(leaves[one], key.catalog)) for one in ENTITIES)
    parts = {one: leaves_parts(leaves[one], key.catalog) for one in ENTITIES}
    traits = trait_statements(key.book.traits, key.catalog, key.unfilled)
    crews = any(isinstance(n, Contacts) for one in segments.values() for n in walk(one.when))
    return Program(
        statements,
        stages,
        projectors[0].words,
        count,
        traits,
        leaves,
        parts,
        key.catalog,
        crews,
    )


def _projection(projector: Projector, names: Sequence[str], *, first: bool) -> Projection:
    masks = [0] * projector.words
    for name in names:
        if projector.segments[name].of == projector.entity:
            masks[projector.bits[name] // WORD] |= 1 << (projector.bits[name] % WORD)
    return Projection(
        projector.entity,
        Statement(projector.sql(names, first=first), {}),
        Statement(projector.sql(names, first=True), {}),
        tuple(masks),
    )


def _touches(book: RuleBook, names: tuple[str, ...], entity: Entity) -> bool:
    return any(book.segments[name].of == entity for name in names)
