"""Rules tried on a scratch warehouse: sizes and members, of whole rules and of their clauses."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

import duckdb

from audiencehub.errors import ConfigError
from audiencehub.model import Entity
from audiencehub.rules import RuleBook, Segment, compile_book
from audiencehub.rules.language.form import All, Any_, Node
from audiencehub.warehouse import recall

Connection = duckdb.DuckDBPyConnection
WORD = 64
ENTITIES: tuple[Entity, Entity] = ("contact", "account")


def parts(segment: Segment) -> tuple[Node, ...]:
    """The clauses that a person sees first: below the topmost all or any; else the whole rule."""
    root = segment.when
    return root.parts if isinstance(root, All | Any_) else (root,)


def part_id(segment: str, number: int) -> str:
    """How a trial calls a clause; no segment can be called so."""
    return f"{segment}#{number}"


class Trial:
    """A book evaluated once at a clock on this connection, its stays left out: who matches is in.

    Its verdicts stand in match_contact and match_account until the next trial on the connection,
    or, put `aside`, for as long as that is open. Raises ConfigError when the rules read
    something that the published copy does not have.
    """

    def __init__(
        self,
        connection: Connection,
        book: RuleBook,
        clock: datetime,
        apart: str = "",
    ) -> None:
        """`apart`: the segment whose clauses are tried one by one, too."""
        self.connection, self.clock = connection, clock
        self._prefix = ""
        segments = dict(book.segments)
        if apart:
            whole = segments[apart]
            for number, part in enumerate(parts(whole)):
                name = part_id(apart, number)
                segments[name] = replace(whole, id=name, when=part, stay=None, ladder="")
        self.book = replace(book, segments=segments)
        self.bits = self.book.bits()
        try:
            compile_book(self.book, clock, self.bits, unfilled=recall(connection)).run(connection)
        except duckdb.BinderException:
            raise ConfigError(
                "The rules read a field that the copy published last does not have.",
                hint="Run: audiencehub sync, then ask again",
            ) from None

    def aside(self, prefix: str) -> None:
        """Keep the verdicts while another trial follows on this connection."""
        self._prefix = f"{prefix}_"
        for entity in ENTITIES:
            name = f"{self._prefix}match_{entity}"
            self.connection.execute(f"DROP TABLE IF EXISTS {name}")
            self.connection.execute(f"ALTER TABLE match_{entity} RENAME TO {name}")

    def table(self, entity: Entity) -> str:
        """Where the verdicts on that entity stand: <entity>_id and the words of the mask."""
        return f"{self._prefix}match_{entity}"

    def of(self, segment: str) -> Entity:
        """What the segment is of."""
        return self.book.segments[segment].of

    def holds(self, segment: str, alias: str = "m") -> str:
        """SQL that is true of the rows of the entity's table that match."""
        word, shift = divmod(self.bits[segment], WORD)
        return f"(({alias}.w{word} & {1 << shift}::UBIGINT) <> 0)"

    def counts(self, entity: Entity, conditions: Mapping[str, str]) -> dict[str, int]:
        """How many of the entity fulfil each SQL condition on `m`, all in one scan."""
        if not conditions:
            return {}
        listed = ", ".join(f"count(*) FILTER ({sql})" for sql in conditions.values())
        row = self.connection.execute(f"SELECT {listed} FROM {self.table(entity)} AS m").fetchall()[
            0
        ]
        return dict(zip(conditions, row, strict=True))

    def ids(self, segment: str) -> list[int]:
        """The ids that match, ascending."""
        entity = self.of(segment)
        rows = self.connection.execute(
            f"SELECT {entity}_id FROM {self.table(entity)} AS m "
            f"WHERE {self.holds(segment)} ORDER BY 1"
        ).fetchall()
        return [int(row[0]) for row in rows]

    def memberships(
        self, entity: Entity, ids: Collection[int]
    ) -> dict[Entity, dict[int, frozenset[str]]]:
        """What these, and the accounts of these contacts, are in: as profiles are loaded with."""
        people = list(ids)
        found = {entity: self._memberships(entity, people)}
        if entity == "contact":
            accounts = self.connection.execute(
                "SELECT DISTINCT account_id FROM contact WHERE account_id IS NOT NULL "
                "AND contact_id IN (SELECT unnest(?::INTEGER[]))",
                [people],
            ).fetchall()
            found["account"] = self._memberships("account", [int(row[0]) for row in accounts])
        return {"contact": {}, "account": {}, **found}

    def _memberships(self, entity: Entity, ids: list[int]) -> dict[int, frozenset[str]]:
        names = [name for name, one in self.book.segments.items() if one.of == entity]
        if not names or not ids:
            return {}
        listed = ", ".join(self.holds(name) for name in names)
        rows = self.connection.execute(
            f"SELECT {entity}_id, {listed} FROM {self.table(entity)} AS m WHERE {entity}_id IN "
            "(SELECT unnest(?::INTEGER[]))",
            [ids],
        ).fetchall()
        return {
            number: frozenset(name for name, held in zip(names, flags, strict=True) if held)
            for number, *flags in rows
        }


def sample(ids: Collection[int], count: int, seed: str) -> list[int]:
    """So many of them by chance, ascending; the same ones every time it is asked with that seed."""
    known = sorted(ids)
    return sorted(random.Random(seed).sample(known, min(count, len(known))))
