"""SQL of the values over facts that traits are made of: one narrow GROUP BY per table, owner and
event name, shared by all traits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from audiencehub.model import Entity
from audiencehub.rules.compile.bind import Binder, Earliest, Recipe
from audiencehub.rules.compile.checks import NOW, TODAY, edges, point, tests_sql
from audiencehub.rules.compile.rows import Group, group_of, local_day, source_sql, where_sql
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.catalog import BORN, DATED, Catalog
from audiencehub.rules.language.form import DAY
from audiencehub.rules.language.trait import Measure

EXACT = "DECIMAL(38, 6)"
MILLION = 1_000_000


def measures_sql(
    entity: Entity,
    measures: Mapping[Measure, str],
    unfilled: frozenset[str],
    bind: Binder,
    catalog: Catalog,
) -> str:
    """SELECT <entity>_id and each measure under its name, a row per entity."""
    groups: dict[tuple[Group, Measure | None], list[Measure]] = {}
    for one in measures:
        if one.rows.table not in unfilled:
            # The most frequent value needs a grouping of its own.
            alone = one if one.how == "most_frequent" else None
            groups.setdefault((group_of(one.rows), alone), []).append(one)
    columns, joins = [], []
    if entity == "contact" and any(group.owner == "account" for group, _ in groups):
        # By way of the account, since rows of one that does not exist count for nobody.
        joins.append(" LEFT JOIN account AS a ON a.account_id = e.account_id")
    for number, ((group, alone), members) in enumerate(groups.items()):
        alias = f"g{number}"
        named = {one: measures[one] for one in members}
        sql = _mode(group, alone, measures[alone], bind, catalog) if alone else None
        joins.append(
            f" LEFT JOIN ({sql or _grouped(group, named, bind, catalog)}) AS {alias}"
            f" ON {alias}.owner_id = {'a' if group.owner != entity else 'e'}.{group.owner}_id"
        )
        columns += [_absent(one, f"{alias}.{name}") + f" AS {name}" for one, name in named.items()]
    columns += [f"NULL AS {name}" for one, name in measures.items() if one.rows.table in unfilled]
    return f"SELECT e.{entity}_id, {', '.join(columns)} FROM {entity} AS e{''.join(joins)}"


def _absent(measure: Measure, value: str) -> str:
    return f"coalesce({value}, 0)" if measure.how in ("count", "distinct", "sum") else value


def _grouped(group: Group, named: Mapping[Measure, str], bind: Binder, catalog: Catalog) -> str:
    kind = _kind(catalog, group.table)
    columns = ", ".join(f"{_value(one, kind, bind)} AS {name}" for one, name in named.items())
    rows = source_sql(group, _prefilter(group, named, kind, bind))
    return f"SELECT owner_id, {columns} FROM {rows} AS r GROUP BY owner_id"


def _mode(group: Group, measure: Measure, name: str, bind: Binder, catalog: Catalog) -> str:
    """The value of most rows; of those equally frequent the latest, then the greatest."""
    kind = _kind(catalog, group.table)
    column = f"r.{quoted(measure.rows.aggregate.of)}"
    kept = f"{_prefilter(group, [measure], kind, bind)} AND {column} IS NOT NULL"
    keep = _keep(measure, kind, bind)
    start = "TIMESTAMP '0001-01-01'" if kind == "instant" else "DATE '0001-01-01'"
    each = (
        f"SELECT owner_id, {column} AS v, count(*) AS n, "
        f"max(coalesce({_dated(group.table)}, {start})) AS d "
        f"FROM {source_sql(group, kept)} AS r WHERE {keep or 'true'} GROUP BY owner_id, v"
    )
    best = "max(struct_pack(n := n, d := d, v := v)).v"
    return f"SELECT owner_id, {best} AS {name} FROM ({each}) GROUP BY owner_id"


def _prefilter(group: Group, measures: Iterable[Measure], kind: str, bind: Binder) -> str:
    """What all of them ask for: existing by the clock, the name, the widest window."""
    born = f"r.{quoted(BORN[group.table])}"
    parts = [f"({born} IS NULL OR {born} <= {bind(NOW)})"]
    if group.names:
        parts.append(f'r."name" IN ({", ".join(bind(name) for name in group.names)})')
    starts = [_start(one, kind) for one in measures]
    known = tuple(dict.fromkeys(one for one in starts if one is not None))
    if None not in starts:
        oldest = known[0] if len(known) == 1 else Earliest(known)
        parts.append(f"{_dated(group.table)} >= {bind(oldest)}")
    return " AND ".join(parts)


def _start(measure: Measure, kind: str) -> Recipe | None:
    window = measure.rows.window
    for check in window.checks if window and not window.or_unknown else ():
        edge = edges(check)
        if edge.start is not None:
            return point(edge.start, kind)
    return None


def _dated(table: str) -> str:
    return f"r.{quoted(DATED[table])}"


def _kind(catalog: Catalog, table: str) -> str:
    field = catalog.field(table, DATED[table])
    assert field is not None, "DATED names fields of the catalog"
    return field.type


def _keep(measure: Measure, kind: str, bind: Binder) -> str:
    rows, parts = measure.rows, []
    if rows.where is not None:
        parts.append(where_sql(rows.where, bind))
    if rows.window is not None:
        parts.append(tests_sql(rows.window, f"({_dated(rows.table)})", kind, bind))
    return " AND ".join(parts)


def _value(measure: Measure, kind: str, bind: Binder) -> str:
    """The SQL value over the rows kept."""
    how, rows = measure.how, measure.rows
    keep = _keep(measure, kind, bind)
    kept = f" FILTER (WHERE {keep})" if keep else ""
    if how == "count":
        return f"count(*){kept}"
    of, of_type = rows.aggregate.of, rows.aggregate.of_type
    column = f"r.{quoted(of)}" if of != DAY else local_day(rows.table, bind)
    if how == "distinct":
        return f"count(DISTINCT {column}){kept}"
    if how in ("sum", "average"):
        exact = f"TRY_CAST({column} AS DECIMAL(28, 6))" if of_type == "number" else column
        total = f"(sum({exact}){kept})"
        if how == "average":
            return cut(total, f"(count({exact}){kept})")
        return f"CAST({total} AS BIGINT)" if of_type == "integer" else total
    return _end(measure, column, kept, kind, bind)


def _end(measure: Measure, column: str, kept: str, kind: str, bind: Binder) -> str:
    """The least, greatest, first or last of a column, or the days since the first or last."""
    how, rows, of = measure.how, measure.rows, measure.rows.aggregate.of
    end = {"first": "min", "last": "max"}.get(how.removeprefix("days_since_"), how)
    if how.startswith("days_since_"):
        return f"({bind(TODAY)} - {_day(rows.table, f'({end}({column}){kept})', kind, bind)})"
    if how in ("min", "max") or of == DATED[rows.table]:
        return f"({end}({column}){kept})"
    # Rows of one instant are told apart by the value itself, so that every engine agrees.
    moment = _dated(rows.table)
    pair = f"CASE WHEN {column} IS NOT NULL AND {moment} IS NOT NULL "
    pair += f"THEN struct_pack(a := {moment}, b := {column}) END"
    return f"({end}({pair}){kept}).b"


def _day(table: str, value: str, kind: str, bind: Binder) -> str:
    """The calendar day of the date or instant that dates a row."""
    if kind == "date":
        return value
    own = f"r.{quoted(DATED[table])}"
    return local_day(table, bind).replace(own, value)


def cut(part: str, whole: str) -> str:
    """The quotient, cut off toward nought after six decimals; null over nought.

    Whole numbers of millionths are divided, since no engine's division of decimals is exact.
    """
    high = f"CAST(CAST({part} AS {EXACT}) * {MILLION} AS HUGEINT)"
    low = f"nullif(CAST(CAST({whole} AS {EXACT}) * {MILLION} AS HUGEINT), 0)"
    quotient = f"({high} * {MILLION}) // {low}"
    return f"CAST(CAST({quotient} AS DECIMAL(38, 0)) * 0.000001::DECIMAL(6, 6) AS {EXACT})"
