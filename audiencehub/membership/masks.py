"""Masks of membership: as the ledger had them before this run, and as they are now.

`member_<entity>(<entity>_id, w0, …)` stands in the warehouse between runs. The ledger commits
first, so that the masks are brought up with the log before they are compared with anything; masks
that do not fit the log (a lost warehouse, a restored ledger) are made anew from the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

from audiencehub.ledger import Ledger
from audiencehub.model import Entity
from audiencehub.warehouse.insert import insert

Connection = duckdb.DuckDBPyConnection
ENTITIES: tuple[Entity, Entity] = ("contact", "account")
WORD = 64
MARK = "recorded"
"""Key in `meta`: the last line of the membership log that the masks have."""


@dataclass(slots=True)
class Masks:
    """The masks of one run. `bits` are of all segments there have ever been, per entity."""

    connection: Connection
    ledger: Ledger
    bits: Mapping[Entity, Mapping[str, int]]
    fits: bool = False
    """The masks in the warehouse are those of the ledger, after `begin`."""
    late: dict[Entity, set[int]] = field(default_factory=dict)
    """Who moved in the log after the masks were stored: by merges, or in a run that died."""
    since: int = 0
    """The last line of the log that the stored masks have."""

    def begin(self) -> None:
        """Leave was_<entity>, empty, over masks that are as the ledger has them; or say that
        the masks do not fit."""
        self.late = {entity: set() for entity in ENTITIES}
        found = self.ledger.membership.log_mark()
        stored = self.connection.execute("SELECT value FROM meta WHERE key = ?", [MARK]).fetchall()
        seq, _, mark = str(stored[0][0]).partition(" ") if stored else ("0", "", "")
        self.since = int(seq)
        self.fits = bool(stored) and self.ledger.membership.log_mark(self.since) == (
            self.since,
            mark,
        )
        self.fits = self.fits and all(self.words(one) for one in ENTITIES)
        if self.fits and found[0] > self.since:
            self._patch()

    def _patch(self) -> None:
        for name, number, segment, inside in self.ledger.membership.moved_since(self.since):
            entity: Entity = "contact" if name == "contact" else "account"
            bit = self.bits[entity].get(segment)
            if bit is None or f"w{bit // WORD}" not in self.words(entity):
                self.fits = False
                return
            word, flag = f"w{bit // WORD}", f"{1 << (bit % WORD)}::UBIGINT"
            key, table = f"{entity}_id", f"member_{entity}"
            insert(
                self.connection,
                table,
                f"SELECT ?, {', '.join('0' for _ in self.words(entity))} "
                f"WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {key} = ?)",
                [number, number],
            )
            change = f"{word} | {flag}" if inside else f"{word} & ~{flag}"
            self.connection.execute(
                f"UPDATE {table} SET {word} = {change} WHERE {key} = ?", [number]
            )
            self.late[entity].add(number)

    def words(self, entity: Entity, table: str = "member") -> list[str]:
        """The word columns of a mask table; none when it does not stand."""
        rows = self.connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index",
            [f"{table}_{entity}"],
        ).fetchall()
        return list(dict.fromkeys(name for (name,) in rows if name[:1] == "w"))

    def keep_all(self) -> None:
        """was_<entity>: everyone's masks before this run."""
        for entity in ENTITIES:
            if self.fits:
                self.connection.execute(
                    f"CREATE OR REPLACE TEMP TABLE was_{entity} AS SELECT * FROM member_{entity}"
                )
            else:
                self._from_ledger(entity)

    def _from_ledger(self, entity: Entity) -> None:
        count = 1 + max(self.bits[entity].values(), default=0) // WORD
        columns = ", ".join(f"w{n} UBIGINT" for n in range(count))
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE was_{entity}({entity}_id INTEGER, {columns})"
        )
        for segment, bit in self.bits[entity].items():
            numbers = self.ledger.membership.members(entity, segment)
            self.connection.register("part", pa.table({"id": pa.array(numbers, pa.int32())}))
            flags = ", ".join(
                f"{1 << (bit % WORD) if n == bit // WORD else 0}::UBIGINT" for n in range(count)
            )
            insert(self.connection, f"was_{entity}", f"SELECT id, {flags} FROM part")
            self.connection.unregister("part")
        merged = ", ".join(f"bit_or(w{n}) AS w{n}" for n in range(count))
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE was_{entity} AS SELECT {entity}_id, {merged} "
            f"FROM was_{entity} GROUP BY {entity}_id"
        )

    def keep_none(self) -> None:
        """was_<entity>, empty: `keep` fills it."""
        for entity in ENTITIES:
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE was_{entity} AS "
                f"SELECT * FROM member_{entity} LIMIT 0"
            )

    def keep(self, entity: Entity) -> None:
        """Put the masks of those in moved_<entity> into was_<entity>, before they change."""
        key = f"{entity}_id"
        zeros = ", ".join(f"coalesce(m.{w}, 0::UBIGINT)" for w in self.words(entity))
        insert(
            self.connection,
            f"was_{entity}",
            f"SELECT d.id, {zeros} FROM (SELECT DISTINCT id FROM moved_{entity}) AS d "
            f"LEFT JOIN member_{entity} AS m ON m.{key} = d.id "
            f"WHERE d.id NOT IN (SELECT {key} FROM was_{entity})",
        )

    def changes(
        self, entity: Entity, *, everyone: bool
    ) -> tuple[dict[str, set[int]], dict[str, set[int]]]:
        """Segment to who came in, and segment to who went out; only those who did."""
        key = f"{entity}_id"
        old, new = self.words(entity, "was"), self.words(entity)
        words = [f"w{n}" for n in range(max(len(old), len(new)))]
        was = [f"coalesce(o.{w}, 0::UBIGINT)" if w in old else "0::UBIGINT" for w in words]
        now = [f"coalesce(m.{w}, 0::UBIGINT)" if w in new else "0::UBIGINT" for w in words]
        pairs = list(zip(was, now, strict=True))
        gained = ", ".join(f"({b} & ~{a}) AS i{n}" for n, (a, b) in enumerate(pairs))
        lost = ", ".join(f"({a} & ~{b}) AS o{n}" for n, (a, b) in enumerate(pairs))
        differs = " OR ".join(f"{a} <> {b}" for a, b in pairs)
        join = "FULL JOIN" if everyone else "LEFT JOIN"
        found = self.connection.execute(
            f"SELECT coalesce(o.{key}, m.{key}) AS id, {gained}, {lost} FROM was_{entity} AS o "
            f"{join} member_{entity} AS m ON m.{key} = o.{key} WHERE {differs}"
        ).fetchnumpy()
        return self._named(entity, found, "i"), self._named(entity, found, "o")

    def _named(self, entity: Entity, found: Mapping[str, object], way: str) -> dict[str, set[int]]:
        ids = np.asarray(found["id"])
        result: dict[str, set[int]] = {}
        for segment, bit in self.bits[entity].items():
            words = found.get(f"{way}{bit // WORD}")
            if words is None:
                continue
            flagged = np.asarray(words, np.uint64) >> np.uint64(bit % WORD) & np.uint64(1)
            numbers = ids[flagged.astype(bool)]
            if len(numbers):
                result[segment] = {int(number) for number in numbers}
        return result

    def of(self, entity: Entity, numbers: Iterable[int]) -> dict[int, frozenset[str]]:
        """The segments of these, as they are now."""
        wanted = pa.table({"id": pa.array(sorted(set(numbers)), pa.int32())})
        words = self.words(entity)
        self.connection.register("wanted", wanted)
        rows = self.connection.execute(
            f"SELECT id, {', '.join(words)} FROM wanted "
            f"JOIN member_{entity} ON {entity}_id = wanted.id"
        ).fetchall()
        self.connection.unregister("wanted")
        places = [(s, b) for s, b in self.bits[entity].items() if b // WORD < len(words)]
        return {
            row[0]: frozenset(s for s, b in places if row[1 + b // WORD] >> (b % WORD) & 1)
            for row in rows
        }

    def sizes(self, entity: Entity, segments: Iterable[str]) -> dict[str, int]:
        """How many are in each of these segments."""
        names = list(segments)
        if not names:
            return {}
        bits = self.bits[entity]
        sums = ", ".join(
            f"coalesce(sum(w{bits[n] // WORD} >> {bits[n] % WORD} & 1::UBIGINT), 0)" for n in names
        )
        (row,) = self.connection.execute(f"SELECT {sums} FROM member_{entity}").fetchall()
        return {name: int(count) for name, count in zip(names, row, strict=True)}

    def end(self) -> None:
        """Note which line of the log the masks have; inside the caller's transaction."""
        seq, mark = self.ledger.membership.log_mark()
        self.connection.execute("DELETE FROM meta WHERE key = ?", [MARK])
        self.connection.execute("INSERT INTO meta VALUES(?, ?)", [MARK, f"{seq} {mark}"])
        for entity in ENTITIES:
            self.connection.execute(f"DROP TABLE IF EXISTS temp.was_{entity}")
