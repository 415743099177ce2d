"""The distinct leaves of a rule book, each with its bit, and the statements that evaluate them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audiencehub.model import Entity
from audiencehub.rules.compile.bind import Binder, Statement
from audiencehub.rules.compile.checks import holds_for_none, tests_sql
from audiencehub.rules.compile.rows import Group, group_of, group_sql, without_rows
from audiencehub.rules.compile.words import Slot, count_words, quoted, words_sql
from audiencehub.rules.language.catalog import CATALOG, Catalog
from audiencehub.rules.language.form import FieldTest, Leaf, Node, Rows, walk

ENTITIES: tuple[Entity, Entity] = ("contact", "account")


@dataclass(frozen=True, slots=True)
class Leaves:
    """All leaves that are evaluated at the grain of one entity."""

    entity: Entity
    fields: tuple[Slot[FieldTest], ...]
    rows: tuple[Slot[Rows], ...]

    @property
    def words(self) -> int:
        """How many mask words they fill."""
        return count_words(len(self.fields) + len(self.rows))

    def slots(self) -> dict[Leaf, Slot[FieldTest] | Slot[Rows]]:
        """The slot of each leaf."""
        found: dict[Leaf, Slot[FieldTest] | Slot[Rows]] = {one.leaf: one for one in self.fields}
        found.update({one.leaf: one for one in self.rows})
        return found


def grain(leaf: Leaf) -> Entity:
    """The entity at whose grain a leaf is evaluated."""
    if isinstance(leaf, Rows):
        return leaf.owner
    return "account" if leaf.scope == "account" else "contact"


def collect(conditions: Iterable[Node]) -> dict[Entity, Leaves]:
    """Each distinct leaf once, those of one scan beside each other."""
    found: dict[Leaf, None] = {}
    for condition in conditions:
        for node in walk(condition):
            if isinstance(node, FieldTest | Rows):
                found.setdefault(node)
    out: dict[Entity, Leaves] = {}
    for entity in ENTITIES:
        fields = [one for one in found if isinstance(one, FieldTest) and grain(one) == entity]
        rows = [one for one in found if isinstance(one, Rows) and grain(one) == entity]
        grouped = sorted(rows, key=lambda one: (group_of(one).table, group_of(one).names))
        out[entity] = Leaves(
            entity,
            tuple(Slot(one, n, holds_for_none(one.tests)) for n, one in enumerate(fields)),
            tuple(Slot(one, n, without_rows(one)) for n, one in enumerate(grouped, len(fields))),
        )
    return out


def leaves_statement(leaves: Leaves, catalog: Catalog = CATALOG) -> Statement:
    """CREATE TEMP TABLE leaf_<entity>(<entity>_id, w0, …): one row per entity."""
    bind = Binder()
    entity, words = leaves.entity, leaves.words
    verdicts = []
    for slot in leaves.fields:
        sql = tests_sql(slot.leaf.tests, f"e.{quoted(slot.leaf.field)}", slot.leaf.type, bind)
        verdicts.append((slot.index, f"NOT {sql}" if slot.default else sql))
    columns = words_sql(verdicts, words)
    groups: dict[Group, list[Slot[Rows]]] = {}
    for row_slot in leaves.rows:
        groups.setdefault(group_of(row_slot.leaf), []).append(row_slot)
    source = f"{entity} AS e"
    if groups:
        scans = " UNION ALL ".join(
            group_sql(group, slots, words, bind, catalog) for group, slots in groups.items()
        )
        merged = ", ".join(f"bit_or(w{n}) AS w{n}" for n in range(words))
        source += (
            f" LEFT JOIN (SELECT owner_id, {merged} FROM ({scans}) GROUP BY owner_id) AS r"
            f" ON r.owner_id = e.{entity}_id"
        )
        columns = [f"{sql} | coalesce(r.w{n}, 0::UBIGINT)" for n, sql in enumerate(columns)]
    selected = ", ".join(f"{sql} AS w{n}" for n, sql in enumerate(columns))
    return bind.statement(
        f"CREATE OR REPLACE TEMP TABLE leaf_{entity} AS "
        f"SELECT e.{entity}_id, {selected} FROM {source}"
    )
