"""SQL of leaves over facts: one narrow GROUP BY per table, owner and event name."""

from __future__ import annotations

from dataclasses import dataclass

from audiencehub.model import Entity
from audiencehub.rules.compile.bind import Binder, Earliest, Recipe, Zone
from audiencehub.rules.compile.checks import (
    NOW,
    TODAY,
    edges,
    holds_for_none,
    holds_for_zero,
    point,
    tests_sql,
)
from audiencehub.rules.compile.words import Slot, quoted, words_sql
from audiencehub.rules.language.catalog import BORN, DATED, OF_CONTACTS, Catalog
from audiencehub.rules.language.form import (
    DAY,
    Aggregate,
    All,
    Any_,
    FieldTest,
    Node,
    Not,
    Rows,
)


@dataclass(frozen=True, slots=True)
class Group:
    """Leaves that read the same rows: one scan, one GROUP BY."""

    owner: Entity
    table: str
    names: tuple[str, ...]
    """Event names that all leaves of the group ask for; empty: any."""


def group_of(leaf: Rows) -> Group:
    """The group of a leaf: events by the names its `where` is limited to."""
    names = _names(leaf.where) if leaf.table == "event" else ()
    return Group(leaf.owner, leaf.table, names)


def _names(where: Node | None) -> tuple[str, ...]:
    for part in where.parts if isinstance(where, All) else (where,):
        if isinstance(part, FieldTest) and part.field == "name" and not part.tests.or_unknown:
            for check in part.tests.checks:
                if check.op in ("is", "any_of"):
                    value = check.value if isinstance(check.value, tuple) else (check.value,)
                    return tuple(sorted(str(one) for one in value))
    return ()


def without_rows(leaf: Rows) -> bool:
    """The verdict for an entity that has no such row."""
    if leaf.aggregate.how in ("count", "distinct", "sum"):
        return holds_for_zero(leaf.aggregate.tests)
    return holds_for_none(leaf.aggregate.tests)


def group_sql(
    group: Group, slots: list[Slot[Rows]], words: int, bind: Binder, catalog: Catalog
) -> str:
    """SELECT of owner id and mask words for all entities that have a row of the group."""
    dated = _dated(group.table, bind)
    kind = "date" if group.table == "intent_signal" else _type(catalog, group.table)
    verdicts = []
    for slot in slots:
        keep = _keep(slot.leaf, dated, kind, bind)
        verdict = _aggregate(slot.leaf.aggregate, keep, group.table, bind)
        verdicts.append((slot.index, f"NOT {verdict}" if slot.default else verdict))
    masks = words_sql(verdicts, words)
    columns = ", ".join(f"{sql} AS w{n}" for n, sql in enumerate(masks))
    rows = _source(group, _prefilter(group, slots, dated, kind, bind))
    return f"SELECT owner_id, {columns} FROM {rows} AS r GROUP BY owner_id"


def _source(group: Group, kept: str) -> str:
    table = quoted(group.table)
    if group.owner == "contact":
        rows = f"SELECT contact_id AS owner_id, r.* FROM {table} AS r"
        return f"({rows} WHERE contact_id IS NOT NULL AND {kept})"
    own = f"SELECT account_id AS owner_id, r.* FROM {table} AS r"
    own = f"{own} WHERE account_id IS NOT NULL AND {kept}"
    if group.table not in OF_CONTACTS:
        return f"({own})"
    # A row that names its account and comes from one of its contacts counts once.
    through = (
        f"SELECT c.account_id AS owner_id, r.* FROM {table} AS r "
        "JOIN contact AS c ON c.contact_id = r.contact_id "
        f"WHERE c.account_id IS NOT NULL AND c.account_id IS DISTINCT FROM r.account_id AND {kept}"
    )
    return f"({own} UNION ALL {through})"


def _prefilter(group: Group, slots: list[Slot[Rows]], dated: str, kind: str, bind: Binder) -> str:
    """What every leaf of the group asks for: existing by the clock, its name, the widest window."""
    born, clock = f"r.{quoted(BORN[group.table])}", bind(NOW)
    if group.table == "intent_signal":
        born, clock = "coalesce(r.period_start, r.period_end)", bind(TODAY)
    parts = [f"({born} IS NULL OR {born} <= {clock})"]
    if group.names:
        parts.append(f'r."name" IN ({", ".join(bind(name) for name in group.names)})')
    starts = [_start(slot.leaf, kind) for slot in slots]
    known = tuple(one for one in starts if one is not None)
    if len(known) == len(starts):
        oldest = known[0] if len(known) == 1 else Earliest(tuple(dict.fromkeys(known)))
        parts.append(f"{dated} >= {bind(oldest)}")
    return " AND ".join(parts)


def _start(leaf: Rows, kind: str) -> Recipe | None:
    for check in leaf.window.checks if leaf.window else ():
        edge = edges(check)
        if edge.start is not None:
            return point(edge.start, kind)
    return None


def _dated(table: str, bind: Binder) -> str:
    if table == "intent_signal":
        # A period that is not over yet counts as of today.
        last = "coalesce(r.period_end, r.period_start)"
        return f"CASE WHEN {last} > {bind(TODAY)} THEN {bind(TODAY)} ELSE {last} END"
    return f"r.{quoted(DATED[table])}"


def _type(catalog: Catalog, table: str) -> str:
    field = catalog.field(table, DATED[table])
    assert field is not None, "DATED names fields of the catalog"
    return field.type


def _keep(leaf: Rows, dated: str, kind: str, bind: Binder) -> str:
    parts = []
    if leaf.where is not None:
        parts.append(where_sql(leaf.where, bind))
    if leaf.window is not None:
        parts.append(tests_sql(leaf.window, f"({dated})", kind, bind))
    return " AND ".join(parts) or "true"


def where_sql(node: Node, bind: Binder) -> str:
    """The condition on one row, true or false."""
    if isinstance(node, All | Any_):
        word = " AND " if isinstance(node, All) else " OR "
        return f"({word.join(where_sql(part, bind) for part in node.parts)})"
    if isinstance(node, Not):
        return f"(NOT {where_sql(node.part, bind)})"
    assert isinstance(node, FieldTest), "where holds fields only"
    return tests_sql(node.tests, f"r.{quoted(node.field)}", node.type, bind)


def _aggregate(aggregate: Aggregate, keep: str, table: str, bind: Binder) -> str:
    """The verdict on the rows kept, true or false."""
    how, tests, kind = aggregate.how, aggregate.tests, aggregate.type
    kept = f"FILTER (WHERE {keep})"
    if how == "count":
        return f"({tests_sql(tests, f'count(*) {kept}', kind, bind)})"
    column = f"r.{quoted(aggregate.of)}" if aggregate.of != DAY else _local_day(table, bind)
    if how == "distinct":
        return f"({tests_sql(tests, f'count(DISTINCT {column}) {kept}', kind, bind)})"
    if how in ("sum", "average"):
        # Doubles do not add up alike in every order; decimals do.
        exact = f"TRY_CAST({column} AS DECIMAL(28, 6))" if aggregate.of_type == "number" else column
        total = f"(sum({exact}) {kept})"
        if how == "sum":
            return f"({tests_sql(tests, f'coalesce({total}, 0)', kind, bind)})"
        times = f" * (count({exact}) {kept})"
        return f"({tests_sql(tests, total, kind, bind, times)})"
    if how in ("min", "max"):
        return f"({tests_sql(tests, f'({how}({column}) {kept})', kind, bind)})"
    # Rows of one instant are told apart by the value itself, so that every engine agrees.
    moment = f"r.{quoted(DATED[table])}"
    pair = f"CASE WHEN {column} IS NOT NULL AND {moment} IS NOT NULL "
    pair += f"THEN struct_pack(a := {moment}, b := {column}) END"
    end = "min" if how == "first" else "max"
    return f"({tests_sql(tests, f'({end}({pair}) {kept}).b', kind, bind)})"


def _local_day(table: str, bind: Binder) -> str:
    column = f"r.{quoted(DATED[table])}"
    if table == "deal":
        return column
    return f"CAST(({column} AT TIME ZONE 'UTC') AT TIME ZONE {bind(Zone())} AS DATE)"
