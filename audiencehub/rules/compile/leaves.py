"""The distinct leaves of a rule book, each with its bit, and the statements that evaluate them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audiencehub.model import Entity
from audiencehub.rules.compile import kinds
from audiencehub.rules.compile.bind import Binder, Statement
from audiencehub.rules.compile.kinds import grain
from audiencehub.rules.compile.rows import Group, group_of, group_sql
from audiencehub.rules.compile.words import WORD, Slot, bit, count_words, words_sql
from audiencehub.rules.language.catalog import CATALOG, Catalog
from audiencehub.rules.language.form import (
    FieldTest,
    Grouped,
    Leaf,
    Near,
    Node,
    Occasion,
    OverRow,
    Past,
    Rank,
    Sequence,
    deep,
)

ENTITIES: tuple[Entity, Entity] = ("contact", "account")
Scanned = Sequence | Rank | Past


@dataclass(frozen=True, slots=True)
class Leaves:
    """All leaves that are evaluated at the grain of one entity."""

    entity: Entity
    over_row: tuple[Slot[OverRow], ...]
    rows: tuple[Slot[Grouped], ...]
    scanned: tuple[Slot[Scanned], ...]
    blank: tuple[Slot[Leaf], ...] = ()
    """Leaves over tables that no source fills: the default is everyone's verdict."""
    width: int = 0
    """At least so many words: as many as the whole has, where these are a part of it."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.over_row) + len(self.rows) + len(self.scanned) + len(self.blank)

    @property
    def words(self) -> int:
        """How many mask words they fill."""
        return max(count_words(self.count), self.width)

    def slots(self) -> dict[Leaf, Slot[Leaf]]:
        """The slot of each leaf."""
        kinds_of_slots = (self.over_row, self.rows, self.scanned, self.blank)
        return {one.leaf: one for slots in kinds_of_slots for one in slots}


def collect(
    conditions: Iterable[Node], unfilled: frozenset[str] = frozenset()
) -> dict[Entity, Leaves]:
    """Each distinct leaf once, those of one scan beside each other.

    `unfilled` are the tables that no source fills: what is asked of them is unknown.
    """
    found: dict[Leaf, None] = {}
    for condition in conditions:
        for node in deep(condition):
            if isinstance(node, Leaf):
                found.setdefault(node)
    blank = [one for one in found if kinds.reads(one) & unfilled]
    for one in blank:
        del found[one]
    return {
        entity: _of(
            entity,
            [one for one in found if grain(one) == entity],
            [one for one in blank if grain(one) == entity],
        )
        for entity in ENTITIES
    }


def _of(entity: Entity, found: list[Leaf], blank: list[Leaf]) -> Leaves:
    own = [one for one in found if isinstance(one, FieldTest | Near | Occasion)]
    rows = [one for one in found if isinstance(one, Grouped)]
    grouped = sorted(rows, key=lambda one: (group_of(one).table, group_of(one).names))
    scanned = [one for one in found if isinstance(one, Scanned)]
    after = len(own) + len(rows)
    return Leaves(
        entity,
        tuple(Slot(one, n, kinds.default(one)) for n, one in enumerate(own)),
        tuple(Slot(one, n, kinds.default(one)) for n, one in enumerate(grouped, len(own))),
        tuple(Slot(one, n, kinds.default(one)) for n, one in enumerate(scanned, after)),
        tuple(
            Slot(one, n, kinds.unknown(one)) for n, one in enumerate(blank, after + len(scanned))
        ),
    )


def leaves_statement(leaves: Leaves, catalog: Catalog = CATALOG) -> Statement:
    """CREATE TEMP TABLE leaf_<entity>(<entity>_id, w0, …): one row per entity."""
    made = leaves_select(leaves, catalog)
    return Statement(
        f"CREATE OR REPLACE TEMP TABLE leaf_{leaves.entity} AS {made.sql}", made.values
    )


def leaves_select(leaves: Leaves, catalog: Catalog = CATALOG) -> Statement:
    """SELECT <entity>_id, w0, …: every entity once."""
    bind = Binder()
    entity, words = leaves.entity, leaves.words
    own, *scans = _parts(leaves, bind, catalog)
    if not scans:
        return bind.statement(own)
    # One table of groups takes the entities and all facts: cheaper than joining the two.
    merged = ", ".join(f"bit_or(w{n}) AS w{n}" for n in range(words))
    # A fact may name an entity that is not there: it is nobody's.
    return bind.statement(
        f"SELECT g.* FROM (SELECT {entity}_id, {merged} FROM "
        f"({' UNION ALL '.join([own, *scans])}) GROUP BY {entity}_id) AS g "
        f"SEMI JOIN {entity} USING ({entity}_id)"
    )


def some_select(leaves: Leaves, catalog: Catalog = CATALOG) -> Statement:
    """SELECT <entity>_id, w0, … of those entities who have some bit, once each."""
    bind = Binder()
    entity, words = leaves.entity, range(leaves.words)
    own, *parts = _parts(leaves, bind, catalog)
    if leaves.over_row:
        some = " OR ".join(f"w{n} <> 0" for n in words)
        parts.insert(0, f"SELECT * FROM ({own}) AS o({_columns(leaves)}) WHERE {some}")
    merged = ", ".join(f"bit_or(w{n}) AS w{n}" for n in words)
    named = " UNION ALL ".join(parts)
    return bind.statement(
        f"SELECT owner_id AS {entity}_id, {merged} FROM ({named}) AS s "
        f"SEMI JOIN {entity} AS e ON e.{entity}_id = s.owner_id GROUP BY owner_id"
    )


def _columns(leaves: Leaves) -> str:
    return ", ".join(["owner_id", *(f"w{n}" for n in range(leaves.words))])


def leaves_parts(leaves: Leaves, catalog: Catalog = CATALOG) -> tuple[Statement, ...]:
    """SELECTs of id, w0, …: everyone by their own row, then a part for each scan of facts.

    An id comes at most once in a part. The words of all parts, OR-ed, are those of the entity.
    """
    bind = Binder()
    return tuple([bind.statement(sql) for sql in _parts(leaves, bind, catalog)])


def _parts(leaves: Leaves, bind: Binder, catalog: Catalog) -> list[str]:
    entity, words = leaves.entity, leaves.words
    verdicts = []
    for slot in leaves.over_row:
        sql = kinds.over_row(slot.leaf, bind)
        verdicts.append((slot.index, f"NOT {sql}" if slot.default else sql))
    columns = ", ".join(f"{sql} AS w{n}" for n, sql in enumerate(words_sql(verdicts, words)))
    source = f"{entity} AS e"
    if any(kinds.reads_traits(one.leaf) for one in leaves.over_row):
        source += f" LEFT JOIN trait_{entity} AS t ON t.{entity}_id = e.{entity}_id"
    if entity == "contact" and any(kinds.reads_account_row(one.leaf) for one in leaves.over_row):
        source += " LEFT JOIN account AS a ON a.account_id = e.account_id"
    own = f"SELECT e.{entity}_id, {columns} FROM {source}"
    return [own, *_scans(leaves, bind, catalog)]


def _scans(leaves: Leaves, bind: Binder, catalog: Catalog) -> list[str]:
    """SELECTs of owner id and mask words, each owner at most once in each."""
    groups: dict[Group, list[Slot[Grouped]]] = {}
    for slot in leaves.rows:
        groups.setdefault(group_of(slot.leaf), []).append(slot)
    found = [
        group_sql(group, slots, leaves.words, bind, catalog) for group, slots in groups.items()
    ]
    for one in leaves.scanned:
        words = ", ".join(
            f"{bit(one.index) if n == one.index // WORD else '0::UBIGINT'} AS w{n}"
            for n in range(leaves.words)
        )
        found.append(f"SELECT owner_id, {words} FROM ({kinds.scan(one.leaf, bind, catalog)})")
    return found
