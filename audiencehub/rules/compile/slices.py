"""The few rows that decide again about the entities that may have changed.

`dirty_<entity>(id, g)` says whom to look at again, and in which units: a bit each. Tables of the
warehouse are copied to temporary ones of the same name with just the rows of these entities, so
that the very statements of the full pass run over them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.model import Entity
from audiencehub.rules.compile.bind import Recipe, resolve
from audiencehub.rules.compile.moves import SIGNAL, Edge
from audiencehub.rules.compile.units import Reader, Unit
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.catalog import DATED, OF_CONTACTS

ALL = (1 << 64) - 1
"""The bits of all units."""
Query = tuple[str, dict[str, Any]]
"""SQL and what to bind."""


@dataclass(frozen=True, slots=True)
class Between:
    """What lies between two clocks."""

    before: datetime
    now: datetime
    zone: ZoneInfo

    @property
    def new_day(self) -> bool:
        """Whether the company's date has changed."""
        days = (one.astimezone(self.zone).date() for one in (self.before, self.now))
        return len(set(days)) > 1

    def place(self, at: Recipe) -> tuple[date | datetime, date | datetime]:
        """Where an edge was and where it is, the earlier first."""
        before, now = (resolve(at, one, self.zone) for one in (self.before, self.now))
        return (before, now) if str(before) <= str(now) else (now, before)

    def crossed(self, edge: Edge) -> Query | None:
        """The condition on rows that the edge has passed; None when it has not moved."""
        low, high = self.place(edge.at)
        if low == high:
            return None
        if edge.open:
            return f"{edge.value} >= $low", {"low": low}
        return f"{edge.value} BETWEEN $low AND $high", {"low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Slicer:
    """Writes the copies for one entity's leaves. `columns` are those of each table."""

    entity: Entity
    units: list[Unit]
    between: Between
    database: str
    columns: dict[str, list[str]]

    def dirty(self) -> Iterator[Query]:
        """INSERTs into dirty_<entity> of the owners of rows that edges have passed."""
        wanted: dict[Edge, list[Unit]] = {}
        for unit in self.units:
            for edge in unit.edges:
                wanted.setdefault(edge, []).append(unit)
        for edge, units in wanted.items():
            found = self.between.crossed(edge)
            if found is None:
                continue
            bits = _bits(one.bit for one in units)
            readers = [one for unit in units for one in unit.readers if one.table == edge.table]
            where = " AND ".join([found[0], *_named(readers)])
            for owner, source in self._owners(edge.table):
                yield (
                    f"INSERT INTO dirty_{self.entity} SELECT DISTINCT {owner}, {bits}::UBIGINT "
                    f"FROM {source} WHERE {where} AND {owner} IS NOT NULL",
                    found[1],
                )

    def _owners(self, table: str) -> list[tuple[str, str]]:
        """(id, source) of the ways in which a row of the table belongs to an entity."""
        rows = self._rows(table)
        found = [(f"r.{self.entity}_id", rows)]
        if self.entity == "account" and table in OF_CONTACTS:
            contact = f"{self.database}.main.contact AS c"
            found.append(("c.account_id", f"{rows} JOIN {contact} ON c.contact_id = r.contact_id"))
        return found

    def copies(self, sql: str) -> Iterator[Query]:
        """CREATE TEMP TABLE of each table that `sql` reads: the rows and columns it takes."""
        words, own = set(re.findall(r"\w+", sql)), self.entity
        ids = f"SELECT id FROM dirty_{own}"
        if own == "account":
            yield self._copy("contact", self._rows("contact"), f"r.account_id IN ({ids})", words)
        yield self._copy(own, self._rows(own), f"r.{own}_id IN ({ids})", words)
        tables: dict[str, list[Reader]] = {}
        for unit in self.units:
            for reader in unit.readers:
                tables.setdefault(reader.table, []).append(reader)
        for table, readers in tables.items():
            yield self._facts(table, readers, words)

    def _facts(self, table: str, readers: list[Reader], words: set[str]) -> Query:
        values: dict[str, Any] = {}
        takes = _named(readers)
        starts = [one.start for one in readers if one.start is not None]
        if len(starts) == len(readers) and table != SIGNAL:
            places = [resolve(one, self.between.now, self.between.zone) for one in starts]
            values["start"] = min(places, key=str)
            takes.append(f"r.{quoted(DATED[table])} >= $start")
        rows = self._rows(table)
        if self.entity == "contact" or table not in OF_CONTACTS:
            # Whose data was touched has all bits, and then the name of a row need not be read.
            takes.append(f"(d.g = {ALL}::UBIGINT OR (d.g & {_wanted(readers)}) <> 0)")
            rows += f" JOIN dirty_{self.entity} AS d ON d.id = r.{self.entity}_id"
        else:
            ids = "SELECT id FROM dirty_account"
            theirs = "SELECT contact_id FROM temp.main.contact"
            takes.append(f"(r.account_id IN ({ids}) OR r.contact_id IN ({theirs}))")
        return self._copy(table, rows, " AND ".join(takes), words, values)

    def _copy(
        self,
        table: str,
        source: str,
        where: str,
        words: set[str],
        values: dict[str, Any] | None = None,
    ) -> Query:
        keys = ("contact_id", "account_id")
        kept = [one for one in self.columns[table] if one in words or one in keys]
        columns = ", ".join(f"r.{quoted(one)}" for one in kept)
        return (
            f"CREATE OR REPLACE TEMP TABLE {quoted(table)} AS SELECT {columns} FROM {source} "
            f"WHERE {where}",
            values or {},
        )

    def _rows(self, table: str) -> str:
        return f"{self.database}.main.{quoted(table)} AS r"


def _named(readers: list[Reader]) -> list[str]:
    """The condition on event names, where all readers want certain ones."""
    if not readers or not all(one.names for one in readers):
        return []
    names = sorted({name for one in readers for name in one.names})
    return [f'r."name" IN ({", ".join(map(_literal, names))})']


def _wanted(readers: list[Reader]) -> str:
    """The bits of the units that read a row, by its name."""
    every = _bits(one.bit for one in readers if not one.names)
    cases: dict[str, int] = {}
    for one in readers:
        for name in one.names:
            cases[name] = cases.get(name, every) | 1 << one.bit
    if not cases:
        return f"{every}::UBIGINT"
    whens = " ".join(f"WHEN {_literal(name)} THEN {n}::UBIGINT" for name, n in cases.items())
    return f'(CASE r."name" {whens} ELSE {every}::UBIGINT END)'


def _bits(places: Iterable[int]) -> int:
    found = 0
    for place in places:
        found |= 1 << place
    return found


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
