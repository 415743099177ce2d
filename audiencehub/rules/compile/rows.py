"""SQL of leaves over facts: one narrow GROUP BY per table, owner and event name."""

from __future__ import annotations

from dataclasses import dataclass

from audiencehub.model import Entity
from audiencehub.rules.compile.bind import Binder, Day, Earliest, Midnight, Recipe, Zone
from audiencehub.rules.compile.change import strength_sql, trend_sql
from audiencehub.rules.compile.checks import (
    NOW,
    TODAY,
    edges,
    holds_for_none,
    holds_for_zero,
    point,
    tests_sql,
)
from audiencehub.rules.compile.words import WORD, Slot, quoted, words_sql
from audiencehub.rules.language.catalog import BORN, DATED, OF_CONTACTS, Catalog
from audiencehub.rules.language.form import (
    DAY,
    All,
    Any_,
    FieldTest,
    Grouped,
    Node,
    Not,
    Rows,
    Step,
    Strength,
    Trend,
)


@dataclass(frozen=True, slots=True)
class Group:
    """Leaves that read the same rows: one scan, one GROUP BY."""

    owner: Entity
    table: str
    names: tuple[str, ...]
    """Event names that all leaves of the group ask for; empty: any."""


def group_of(leaf: Grouped) -> Group:
    """The group of a leaf: events by the names its `where` is limited to."""
    names = _names(leaf.where) if leaf.table == "event" else ()
    return Group(leaf.owner, leaf.table, names)


def names_asked(step: Step) -> tuple[str, ...]:
    """The event names that the rows of a step are limited to; none: any."""
    return _names(step.where) if step.table == "event" else ()


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
    group: Group, slots: list[Slot[Grouped]], words: int, bind: Binder, catalog: Catalog
) -> str:
    """SELECT of owner id and mask words for all entities that have a row of the group."""
    dated = _dated(group.table, bind)
    kind = "date" if group.table == "intent_signal" else _type(catalog, group.table)
    oldest = _oldest([slot.leaf for slot in slots], kind)
    verdicts = []
    for slot in slots:
        keep = _keep(slot.leaf, dated, kind, oldest, bind)
        verdict = _verdict(slot.leaf, keep, dated, kind, bind)
        verdicts.append((slot.index, f"NOT {verdict}" if slot.default else verdict))
    masks = words_sql(verdicts, words)
    columns = ", ".join(f"{sql} AS w{n}" for n, sql in enumerate(masks))
    rows = source_sql(group, _prefilter(group, dated, oldest, bind))
    some = " OR ".join(f"w{n} <> 0" for n in sorted({slot.index // WORD for slot in slots}))
    grouped = f"SELECT owner_id, {columns} FROM {rows} AS r GROUP BY owner_id"
    return f"SELECT * FROM ({grouped}) WHERE {some}"


def source_sql(group: Group, kept: str) -> str:
    """The rows of a group that fulfil `kept` (said of `r`), with their owner_id, in brackets."""
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


def _prefilter(group: Group, dated: str, oldest: Recipe | None, bind: Binder) -> str:
    """What every leaf of the group asks for: existing by the clock, its name, the widest window."""
    born, clock = f"r.{quoted(BORN[group.table])}", bind(NOW)
    if group.table == "intent_signal":
        born, clock = "coalesce(r.period_start, r.period_end)", bind(TODAY)
    # Plain comparisons let the engine skip blocks; a window leaves out rows without a date.
    plain = oldest is not None and born == dated
    parts = [f"{born} <= {clock}" if plain else f"({born} IS NULL OR {born} <= {clock})"]
    if group.names:
        parts.append(f'r."name" IN ({", ".join(bind(name) for name in group.names)})')
    if oldest is not None:
        parts.append(f"{dated} >= {bind(oldest)}")
    return " AND ".join(parts)


def oldest_of(leaves: list[Grouped], catalog: Catalog) -> Recipe | None:
    """Before this no row matters to leaves of one group; None when rows of any age do."""
    table = leaves[0].table
    kind = "date" if table == "intent_signal" else _type(catalog, table)
    return _oldest(leaves, kind)


def _oldest(leaves: list[Grouped], kind: str) -> Recipe | None:
    """Where the widest window begins; None when some leaf reads rows of any age."""
    starts = [_start(leaf, kind) for leaf in leaves]
    known = tuple(dict.fromkeys(one for one in starts if one is not None))
    if None in starts:
        return None
    spans = {one: _days(one) for one in known}
    if None not in spans.values():
        return max(known, key=lambda one: spans[one] or 0)
    return Earliest(known)


def _days(start: Recipe) -> int | None:
    """How many days before the clock's a window begins, where that is so on every date."""
    day = start.day if isinstance(start, Midnight) else start
    if isinstance(day, Day) and day.span and day.sign == -1 and day.plus == 1:
        return {"day": 1, "week": 7}.get(day.span.unit, 0) * day.span.count or None
    return None


def _start(leaf: Grouped, kind: str) -> Recipe | None:
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


def _keep(leaf: Grouped, dated: str, kind: str, oldest: Recipe | None, bind: Binder) -> str:
    parts = []
    if leaf.where is not None:
        parts.append(where_sql(leaf.where, bind))
    if leaf.window is not None and not _is_all(leaf, kind, oldest):
        parts.append(tests_sql(leaf.window, f"({dated})", kind, bind))
    return " AND ".join(parts)


def _is_all(leaf: Grouped, kind: str, oldest: Recipe | None) -> bool:
    """Whether the window keeps all rows of its group, which end at the clock as it does."""
    checks = leaf.window.checks if leaf.window else ()
    return (
        oldest is not None
        and [one.op for one in checks] == ["within"]
        and DATED[leaf.table] == BORN[leaf.table]
        and leaf.window is not None
        and not leaf.window.or_unknown
        and _start(leaf, kind) == oldest
        and _days(oldest) is not None
    )


def where_sql(node: Node, bind: Binder) -> str:
    """The condition on one row, true or false."""
    if isinstance(node, All | Any_):
        word = " AND " if isinstance(node, All) else " OR "
        return f"({word.join(where_sql(part, bind) for part in node.parts)})"
    if isinstance(node, Not):
        return f"(NOT {where_sql(node.part, bind)})"
    assert isinstance(node, FieldTest), "where holds fields only"
    return tests_sql(node.tests, f"r.{quoted(node.field)}", node.type, bind)


def _verdict(leaf: Grouped, keep: str, dated: str, kind: str, bind: Binder) -> str:
    """The verdict on the rows kept, true or false."""
    if isinstance(leaf, Strength):
        return strength_sql(leaf, keep, dated, bind)
    if isinstance(leaf, Trend):
        column = local_day(leaf.table, bind) if leaf.of == DAY else f"r.{quoted(leaf.of)}"
        return trend_sql(leaf, keep, dated, kind, column, bind)
    return _aggregate(leaf, keep, bind)


def _aggregate(leaf: Rows, keep: str, bind: Binder) -> str:
    """The verdict on the rows kept, true or false."""
    aggregate, table = leaf.aggregate, leaf.table
    how, tests, kind = aggregate.how, aggregate.tests, aggregate.type
    kept = f" FILTER (WHERE {keep})" if keep else ""
    if how == "count":
        return f"({tests_sql(tests, f'count(*){kept}', kind, bind)})"
    column = f"r.{quoted(aggregate.of)}" if aggregate.of != DAY else local_day(table, bind)
    if how == "distinct":
        many = _days_sql(leaf, column, kept, bind) or f"count(DISTINCT {column}){kept}"
        return f"({tests_sql(tests, many, kind, bind)})"
    if how in ("sum", "average"):
        # Doubles do not add up alike in every order; decimals do.
        exact = f"TRY_CAST({column} AS DECIMAL(28, 6))" if aggregate.of_type == "number" else column
        total = f"(sum({exact}){kept})"
        if how == "sum":
            return f"({tests_sql(tests, f'coalesce({total}, 0)', kind, bind)})"
        times = f" * (count({exact}){kept})"
        return f"({tests_sql(tests, total, kind, bind, times)})"
    end = {"first": "min", "last": "max"}.get(how, how)
    if how in ("min", "max") or aggregate.of == DATED[table]:
        return f"({tests_sql(tests, f'({end}({column}){kept})', kind, bind)})"
    # Rows of one instant are told apart by the value itself, so that every engine agrees.
    moment = f"r.{quoted(DATED[table])}"
    pair = f"CASE WHEN {column} IS NOT NULL AND {moment} IS NOT NULL "
    pair += f"THEN struct_pack(a := {moment}, b := {column}) END"
    return f"({tests_sql(tests, f'({end}({pair}){kept}).b', kind, bind)})"


def _days_sql(leaf: Rows, column: str, kept: str, bind: Binder) -> str | None:
    """Distinct days of a short window as bits of one integer; None where they are not short."""
    checks = leaf.window.checks if leaf.window else ()
    if leaf.aggregate.of != DAY or len(checks) != 1 or checks[0].op != "within":
        return None
    start = edges(checks[0]).start
    if not isinstance(start, Day) or not 0 < (_days(start) or 0) <= WORD:
        return None
    place = f"({column} - {bind(start)})"
    one = f"CASE WHEN {place} BETWEEN 0 AND {WORD - 1} THEN 1::UBIGINT << {place} END"
    return f"bit_count(coalesce(bit_or({one}){kept}, 0::UBIGINT))"


def local_day(table: str, bind: Binder) -> str:
    """The calendar day of a row `r` in the company's time zone."""
    column = f"r.{quoted(DATED[table])}"
    if table == "deal":
        return column
    return f"CAST(({column} AT TIME ZONE 'UTC') AT TIME ZONE {bind(Zone())} AS DATE)"
