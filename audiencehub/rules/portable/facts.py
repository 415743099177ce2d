"""Leaves over facts: the rows kept, aggregated by their owner."""

from __future__ import annotations

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import BORN, DATED, OF_CONTACTS
from audiencehub.rules.language.form import DAY, All, Any_, FieldTest, Node, Not, Rows, Tests
from audiencehub.rules.portable.query import Query, Scope, selected
from audiencehub.rules.portable.text import clauses, either, negated, nested, together, where
from audiencehub.rules.portable.values import NOW, TODAY, ZONE

NOUGHT = ("count", "distinct", "sum")
"""Aggregates that are 0 without rows; the others are unknown."""


def rows(node: Rows, scope: Scope) -> str:
    """The verdict on the rows of an entity."""
    query, of = scope.query, node.aggregate
    if node.table in query.unfilled:
        return query.verdicts.unknown(of.tests)
    alias = aggregated(node, scope)
    if of.how == "average":
        # Compared without a division, which engines round each in their own way.
        total, times = f"{alias}.total", f" * {alias}.known"
        return query.verdicts.tests(of.tests, total, of.type, times)
    value = f"coalesce({alias}.value, 0)" if of.how in NOUGHT else f"{alias}.value"
    return query.verdicts.tests(of.tests, value, of.type)


def aggregated(node: Rows, scope: Scope) -> str:
    """The alias of the aggregate's row, joined: `value`, or `total` and `known` of an average."""
    query = scope.query
    end = node.aggregate.how in ("first", "last")
    found = _end(node, query) if end else _grouped(node, query)
    return scope.joined(query.sub(node.table, found), node.owner)


def _grouped(node: Rows, query: Query) -> str:
    of = node.aggregate
    owner, source = owned(query, node.table, node.owner)
    column = "" if of.how == "count" else value_of(query, node.table, of.of)
    if of.how in ("sum", "average") and of.of_type == "number":
        # Doubles do not add up alike in every order; decimals do.
        column = query.dialect.exact(column)
    if of.how == "count":
        values = ["count(*) AS value"]
    elif of.how == "distinct":
        values = [f"count(DISTINCT {column}) AS value"]
    elif of.how == "average":
        values = [f"sum({column}) AS total", f"count({column}) AS known"]
    else:
        values = [f"{of.how}({column}) AS value"]
    return clauses(
        selected([f"{owner} AS owner_id", *values]),
        source,
        where([f"{owner} IS NOT NULL", *kept(query, node.table, node.where, node.window)]),
        f"GROUP BY {owner}",
    )


def _end(node: Rows, query: Query) -> str:
    """The first or last row by its date; rows of one instant are told apart by the value."""
    of = node.aggregate
    owner, source = owned(query, node.table, node.owner)
    value, dated = value_of(query, node.table, of.of), query.column("r", DATED[node.table])
    way = "" if of.how == "first" else " DESC"
    by = query.dialect.bytewise(value) if of.of_type == "text" else value
    order = f"PARTITION BY {owner} ORDER BY {dated}{way}, {by}{way}"
    placed = clauses(
        selected(
            [f"{owner} AS owner_id", f"{value} AS value", f"row_number() OVER ({order}) AS place"]
        ),
        source,
        where(
            [
                f"{owner} IS NOT NULL",
                *kept(query, node.table, node.where, node.window),
                f"{dated} IS NOT NULL",
                f"{value} IS NOT NULL",
            ]
        ),
    )
    return clauses("SELECT owner_id, value", f"FROM {nested(placed)} AS placed", "WHERE place = 1")


def owned(query: Query, table: str, owner: Entity) -> tuple[str, str]:
    """Whose each row `r` of a table is, and FROM: a row comes once for each of its owners."""
    name = _signals(query) if table == "intent_signal" else query.name(table)
    if owner == "contact":
        return "r.contact_id", f"FROM {name} AS r"
    if table not in OF_CONTACTS:
        return "r.account_id", f"FROM {name} AS r"
    own = f"SELECT r.*, r.account_id AS owner_id\nFROM {name} AS r"
    through = (
        f"SELECT r.*, p.account_id AS owner_id\nFROM {name} AS r\n"
        "JOIN contact AS p ON p.contact_id = r.contact_id\n"
        "WHERE r.account_id IS NULL OR r.account_id <> p.account_id"
    )
    both = nested(clauses(own, "UNION ALL", through))
    return "r.owner_id", f"FROM {both} AS r"


def kept(query: Query, table: str, where_: Node | None, window: Tests | None) -> list[str]:
    """What rows `r` of a table must fulfil: existing by the clock, `where`, the window."""
    parts = [existing(query, table)]
    if where_ is not None:
        parts += condition(query, where_)
    if window is not None:
        value, kind = dated(query, table), date_type(query, table)
        parts.append(query.verdicts.tests(window, value, kind))
    return parts


def existing(query: Query, table: str) -> str:
    """What is dated after the clock has not happened yet; what has no date has."""
    if table == "intent_signal":
        return either(
            [
                "coalesce(r.period_start, r.period_end) IS NULL",
                f"coalesce(r.period_start, r.period_end) <= {query.bind(TODAY)}",
            ]
        )
    field = query.catalog.field(table, BORN[table])
    assert field is not None, "BORN names fields of the catalog"
    born = query.column("r", field.name)
    limit = query.bind(TODAY if field.type == "date" else NOW)
    return either([f"{born} IS NULL", f"{born} <= {limit}"])


def dated(query: Query, table: str) -> str:
    """The date by which a window sees a row."""
    return "r.seen" if table == "intent_signal" else query.column("r", DATED[table])


def _signals(query: Query) -> str:
    """Signals with the day on which they are seen: a period that is not over counts as of today."""
    last, today = "coalesce(r.period_end, r.period_start)", query.bind(TODAY)
    seen = f"CASE WHEN {last} > {today} THEN {today} ELSE {last} END AS seen"
    return nested(clauses(selected(["r.*", seen]), "FROM intent_signal AS r"))


def date_type(query: Query, table: str) -> str:
    """`date` or `instant`."""
    field = query.catalog.field(table, DATED[table])
    assert field is not None, "DATED names fields of the catalog"
    return field.type


def value_of(query: Query, table: str, of: str) -> str:
    """The field that is aggregated, or the local day of a row."""
    if of != DAY:
        return query.column("r", of)
    if date_type(query, table) == "date":
        return dated(query, table)
    return query.dialect.local_day(dated(query, table), query.bind(ZONE))


def condition(query: Query, node: Node) -> list[str]:
    """`where` on a row `r`, as parts that must all hold."""
    if isinstance(node, All):
        return [one for part in node.parts for one in condition(query, part)]
    return [_row(query, node)]


def _row(query: Query, node: Node) -> str:
    if isinstance(node, All):
        return together([_row(query, one) for one in node.parts])
    if isinstance(node, Any_):
        return either([_row(query, one) for one in node.parts])
    if isinstance(node, Not):
        return negated(_row(query, node.part))
    assert isinstance(node, FieldTest), "where holds fields only"
    return query.verdicts.tests(node.tests, query.column("r", node.field), node.type)
