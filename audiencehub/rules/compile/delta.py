"""Only what changed is evaluated again; the tables are then as a full pass would leave them.

An entity's leaves are looked at again when its data was touched, or when an edge of time has passed
one of its rows; leaves of kinds whose movement is not known are looked at in full. Rules are then
projected for whose leaves, link or referenced memberships have changed. DESIGN §5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from audiencehub.model import Entity
from audiencehub.rules.compile.leaves import ENTITIES, leaves_select, some_select
from audiencehub.rules.compile.local import (
    Compiled,
    Connection,
    Projection,
    Settle,
    matches_are_members,
)
from audiencehub.rules.compile.merging import merge, replace
from audiencehub.rules.compile.moves import same_lists
from audiencehub.rules.compile.slices import ALL, Between, Slicer
from audiencehub.rules.compile.units import Unit, chosen, split, word_masks
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.catalog import FACTS, OF_CONTACTS
from audiencehub.rules.language.form import Leaf
from audiencehub.warehouse.insert import insert

INSERT = "INSERT INTO "

ORDER: tuple[Entity, Entity] = ("account", "contact")


def last_clock(compiled: Compiled, connection: Connection) -> datetime | None:
    """The clock of the evaluation whose tables stand; None when they are of another program."""
    try:
        found = connection.execute("SELECT program, clock FROM evaluated").fetchall()
    except duckdb.CatalogException:
        return None
    if not found or found[0][0] != compiled.program.key:
        return None
    clock: datetime = found[0][1].replace(tzinfo=UTC)
    return clock if clock <= compiled.clock else None


def run_changed(
    compiled: Compiled, connection: Connection, settle: Settle = matches_are_members
) -> bool:
    """Evaluate what the table touched(entity, id) names and what the clock has moved.

    After each stage `settle` brings member_<entity> up to date for those in the temporary table
    moved_<entity>(id), and adds whoever's membership changed otherwise (a stay that is over).

    False, with nothing done, when the tables of the last evaluation do not fit (other rules, an
    earlier clock): then `Compiled.run` is wanted. The tables end up as it would leave them.
    """
    before = last_clock(compiled, connection)
    if before is None:
        return False
    name = connection.execute("SELECT current_database()").fetchall()[0][0]
    between = Between(before, compiled.clock, compiled.zone)
    _Pass(compiled, connection, between, quoted(name)).run(settle)
    compiled.note(connection)
    return True


@dataclass(slots=True)
class _Pass:
    """One incremental evaluation."""

    compiled: Compiled
    connection: Connection
    between: Between
    database: str
    columns: dict[str, list[str]] = field(default_factory=dict)

    def run(self, settle: Settle) -> None:
        program = self.compiled.program
        for statement in program.traits:
            self.connection.execute(statement.sql, self.compiled.bound(statement))
        for entity in ENTITIES:
            self._do(f"DROP TABLE IF EXISTS temp.leaf_{entity}")
        self._columns()
        self._missing()
        for entity in ORDER:
            self._leaves(entity)
        self._vanished()
        self._base()
        for stage in program.stages:
            for entity in ENTITIES:
                self._do(f"CREATE OR REPLACE TEMP TABLE moved_{entity}(id INTEGER)")
            if stage.number == 0:
                self._gone()
            for one in stage.projections:
                self._project(one)
            settle(self.connection, stage)
            self._widen()

    def _do(self, sql: str, values: dict[str, object] | None = None) -> None:
        if sql.startswith(INSERT):
            table, _, select = sql.removeprefix(INSERT).partition(" ")
            insert(self.connection, table, select, values or {})
        else:
            self.connection.execute(sql, values or {})

    def _columns(self) -> None:
        rows = self.connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = "
            "current_database() AND schema_name = 'main' ORDER BY column_index"
        ).fetchall()
        for table, column in rows:
            self.columns.setdefault(table, []).append(column)

    def _missing(self) -> None:
        """gone_<entity>(id): who was touched because they are not there any more."""
        for entity in ENTITIES:
            self._do(
                f"CREATE OR REPLACE TEMP TABLE gone_{entity} AS SELECT t.id FROM touched AS t "
                f"ANTI JOIN {entity} AS e ON e.{entity}_id = t.id WHERE t.entity = '{entity}'"
            )

    def _leaves(self, entity: Entity) -> None:
        """Bring leaf_<entity> up to date; changed_<entity>(id) has whose words differ."""
        program = self.compiled.program
        leaves = program.sets[entity]
        units, rest = split(leaves, program.catalog, self._steady)
        if self.between.new_day:
            # Anyone's verdict may differ: reading all once is cheaper than copying all.
            rest += [slot for unit in units if unit.daily for slot in unit.slots]
            units = [unit for unit in units if not unit.daily]
        self._do(f"CREATE OR REPLACE TEMP TABLE changed_{entity}(id INTEGER)")
        slicer = Slicer(entity, units, self.between, self.database, self.columns)
        self._dirty(slicer)
        slots = [slot for unit in units for slot in unit.slots]
        again = leaves_select(chosen(leaves, slots), program.catalog)
        for sql, values in slicer.copies(again.sql):
            self._do(sql, values)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE fresh AS {again.sql}", self.compiled.bound(again)
        )
        self._uncover()
        merge(self.connection, entity, _valid(units, leaves.words))
        if rest:
            whole = some_select(chosen(leaves, rest), program.catalog)
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE fresh AS {whole.sql}", self.compiled.bound(whole)
            )
            replace(self.connection, entity, word_masks(rest, leaves.words))
        self._do("DROP TABLE temp.fresh")

    def _dirty(self, slicer: Slicer) -> None:
        entity, table = slicer.entity, f"dirty_{slicer.entity}"
        every = f"{ALL}::UBIGINT"
        self._do(
            f"CREATE OR REPLACE TEMP TABLE {table} AS "
            f"SELECT id, {every} AS g FROM touched WHERE entity = '{entity}'"
        )
        through = {r.table for unit in slicer.units for r in unit.readers} & OF_CONTACTS
        if entity == "account" and through:
            self._do(
                f"INSERT INTO {table} SELECT c.account_id, {every} FROM touched AS t "
                "JOIN contact AS c ON c.contact_id = t.id "
                "WHERE t.entity = 'contact' AND c.account_id IS NOT NULL"
            )
        for sql, values in slicer.dirty():
            self._do(sql, values)
        self._do(
            f"CREATE OR REPLACE TEMP TABLE {table} AS "
            f"SELECT d.id, bit_or(d.g) AS g FROM {table} AS d "
            # A fact or a person may name an account that is not there.
            f"SEMI JOIN {entity} AS e ON e.{entity}_id = d.id GROUP BY d.id"
        )

    def _steady(self, leaf: Leaf) -> bool:
        between = self.between
        return same_lists(leaf, between.before, between.now, between.zone)

    def _uncover(self) -> None:
        """Drop the copies, so that the names mean the whole tables again."""
        for table in (*ENTITIES, *FACTS):
            self._do(f"DROP TABLE IF EXISTS temp.{quoted(table)}")

    def _vanished(self) -> None:
        """Who is not there any more has no leaves, and whoever reads them is looked at again."""
        for entity in ENTITIES:
            self._do(f"INSERT INTO changed_{entity} SELECT id FROM gone_{entity}")
            self._drop(f"leaf_{entity}", entity)

    def _drop(self, table: str, entity: Entity) -> None:
        if self.connection.execute(f"SELECT count(*) FROM gone_{entity}").fetchall() != [(0,)]:
            self._do(f"DELETE FROM {table} WHERE {entity}_id IN (SELECT id FROM gone_{entity})")

    def _base(self) -> None:
        """again_<entity>(id): for whom rules are projected, before references are looked at."""
        for entity in ENTITIES:
            self._do(
                f"CREATE OR REPLACE TEMP TABLE again_{entity} AS SELECT id FROM changed_{entity} "
                f"UNION SELECT id FROM touched WHERE entity = '{entity}'"
            )
        # Who reads an account whose words are as they were has nothing new to read.
        self._linked("changed", "again")

    def _linked(self, accounts: str, contacts: str) -> None:
        """Widen: contacts read their account, and some rules of accounts their contacts."""
        self._do(
            "INSERT INTO again_contact SELECT c.contact_id FROM contact AS c "
            f"WHERE c.account_id IN (SELECT id FROM {accounts}_account)"
        )
        if self.compiled.program.crews:
            self._do(
                "INSERT INTO again_account SELECT DISTINCT c.account_id FROM contact AS c "
                f"JOIN {contacts}_contact AS m ON m.id = c.contact_id "
                "WHERE c.account_id IS NOT NULL"
            )

    def _widen(self) -> None:
        """Whose membership changed is looked at again by the stages that refer to it."""
        for entity in ENTITIES:
            self._do(f"INSERT INTO again_{entity} SELECT id FROM moved_{entity}")
        self._linked("moved", "moved")

    def _gone(self) -> None:
        for entity in ENTITIES:
            self._do(f"INSERT INTO moved_{entity} SELECT id FROM gone_{entity}")
            self._drop(f"match_{entity}", entity)

    def _project(self, one: Projection) -> None:
        """Bring match_<entity> up to date in the bits of one stage."""
        entity, key = one.entity, f"{one.entity}_id"
        again = f"SELECT id FROM again_{entity}"
        links = f"contact_id, account_id FROM {self.database}.main.contact"
        if entity == "contact":
            self._do(
                f"CREATE OR REPLACE TEMP TABLE contact AS SELECT {links} "
                f"WHERE contact_id IN ({again})"
            )
        else:
            self._do(
                f"CREATE OR REPLACE TEMP TABLE account AS SELECT account_id "
                f"FROM {self.database}.main.account WHERE account_id IN ({again})"
            )
            self._do(
                f"CREATE OR REPLACE TEMP TABLE contact AS SELECT {links} "
                f"WHERE account_id IN ({again})"
            )
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE fresh AS {one.alone.sql}", self.compiled.bound(one.alone)
        )
        self._uncover()
        masks = [f"{mask}::UBIGINT" for mask in one.masks]
        differs = " OR ".join(f"(o.w{n} & {m}) <> f.w{n}" for n, m in enumerate(masks))
        self._do(
            f"CREATE OR REPLACE TEMP TABLE later AS SELECT f.*, o.{key} IS NULL AS new "
            f"FROM fresh AS f LEFT JOIN match_{entity} AS o ON o.{key} = f.{key} "
            f"WHERE o.{key} IS NULL OR {differs}"
        )
        sets = ", ".join(
            f"w{n} = (match_{entity}.w{n} & ~{m}) | l.w{n}" for n, m in enumerate(masks)
        )
        self._do(
            f"UPDATE match_{entity} SET {sets} FROM later AS l "
            f"WHERE match_{entity}.{key} = l.{key} AND NOT new"
        )
        words = ", ".join(f"w{n}" for n in range(len(masks)))
        self._do(f"INSERT INTO match_{entity} SELECT {key}, {words} FROM later WHERE new")
        self._do(f"INSERT INTO moved_{entity} SELECT {key} FROM later")
        self._do("DROP TABLE temp.later")
        self._do("DROP TABLE temp.fresh")


def _valid(units: list[Unit], words: int) -> list[str]:
    """Per word: the bits of leaves whose units are to be looked at again, by `d.g`."""
    return [" | ".join(_parts(units, words, n)) or "0::UBIGINT" for n in range(words)]


def _parts(units: list[Unit], words: int, word: int) -> Iterator[str]:
    for unit in units:
        mask = word_masks(list(unit.slots), words)[word]
        if mask:
            bit = f"{1 << unit.bit}::UBIGINT"
            yield f"CASE WHEN (d.g & {bit}) <> 0 THEN {mask}::UBIGINT ELSE 0::UBIGINT END"
