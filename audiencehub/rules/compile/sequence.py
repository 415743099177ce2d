"""SQL of sequences: one pass of window functions over the rows of all steps, never a self-join.

Every row of every step carries the latest first row from which a chain reaches it: a running
maximum over the rows of the step before that are strictly earlier. The latest start makes the
shortest stretch, so the last step's rows alone decide.
"""

from __future__ import annotations

from audiencehub.rules.compile.bind import Binder, Day, Midnight, Recipe, Zone
from audiencehub.rules.compile.checks import NOW, TODAY, edges, tests_sql
from audiencehub.rules.compile.rows import Group, source_sql, where_sql
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.catalog import ACCOUNT_ONLY, BORN, DATED, Catalog
from audiencehub.rules.language.form import Sequence, Span, Step

_BEFORE = "GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
_AFTER = "GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING"
_SPANS = {
    "minute": "to_minutes",
    "hour": "to_hours",
    "day": "to_days",
    "week": "to_weeks",
    "month": "to_months",
    "year": "to_years",
}


def sequence_sql(leaf: Sequence, bind: Binder, catalog: Catalog) -> str:
    """SELECT owner_id of those for whom the sequence holds, each once."""
    steps = (leaf.first, *leaf.then)
    rows = " UNION ALL ".join(
        _step(leaf, number, step, bind, catalog) for number, step in enumerate(steps, 1)
    )
    if leaf.missing:
        return _missing(leaf, f"({rows})", bind)
    chain = f"SELECT *, CASE WHEN step = 1 THEN moment END AS started FROM ({rows})"
    for number in range(2, len(steps) + 1):
        reached = f"CASE WHEN step = {number - 1} THEN started END"
        chain = (
            "SELECT owner_id, step, moment, "
            f"CASE WHEN step = {number} THEN max({reached}) OVER (PARTITION BY owner_id "
            f"ORDER BY moment {_BEFORE}) ELSE started END AS started FROM ({chain})"
        )
    near = _near(leaf.within, "started", "moment", bind)
    where = f"step = {len(steps)} AND started IS NOT NULL AND {near}"
    return f"SELECT DISTINCT owner_id FROM ({chain}) WHERE {where}"


def _missing(leaf: Sequence, rows: str, bind: Binder) -> str:
    """Of those with a first row that nothing followed, while something still could have."""
    following = (
        "SELECT *, min(CASE WHEN step = 2 THEN moment END) OVER (PARTITION BY owner_id "
        f"ORDER BY moment {_AFTER}) AS followed FROM {rows}"
    )
    alone = "followed IS NULL"
    if leaf.within is not None:
        near = _near(leaf.within, "moment", "followed", bind)
        alone = f"({alone} OR NOT {near}) AND {_over(leaf.within, bind)}"
    return f"SELECT DISTINCT owner_id FROM ({following}) WHERE step = 1 AND {alone}"


def _step(leaf: Sequence, number: int, step: Step, bind: Binder, catalog: Catalog) -> str:
    """SELECT owner_id, step, moment of one step's rows that have happened by the clock."""
    dated = f"r.{quoted(DATED[step.table])}"
    field = catalog.field(step.table, DATED[step.table])
    assert field is not None, "DATED names fields of the catalog"
    born = f"r.{quoted(BORN[step.table])}"
    on_days = field.type == "date"
    parts = [f"{dated} <= {bind(TODAY if on_days else NOW)}"]
    if born != dated:
        parts.append(f"({born} IS NULL OR {born} <= {bind(NOW)})")
    if number == 1 and leaf.window is not None:
        parts.append(tests_sql(leaf.window, dated, field.type, bind))
    elif (start := earliest(leaf, on_days=on_days)) is not None:
        parts.append(f"{dated} >= {bind(start)}")
    if step.where is not None:
        parts.append(where_sql(step.where, bind))
    moment = f"((CAST({dated} AS TIMESTAMP) AT TIME ZONE {bind(Zone())}) AT TIME ZONE 'UTC')"
    shared = step.table in ACCOUNT_ONLY
    group = Group("account" if shared else leaf.owner, step.table, ())
    rows = f"{source_sql(group, ' AND '.join(parts))} AS r"
    owner = "r.owner_id"
    if shared and leaf.owner == "contact":
        owner = "p.contact_id"
        rows += " JOIN account AS a ON a.account_id = r.owner_id"
        rows += " JOIN contact AS p ON p.account_id = r.owner_id"
    return f"SELECT {owner} AS owner_id, {number} AS step, " + (
        f"{moment if on_days else dated} AS moment FROM {rows}"
    )


def earliest(leaf: Sequence, *, on_days: bool) -> Recipe | None:
    """Before this day or instant no first row lies, so no later row matters either."""
    for check in leaf.window.checks if leaf.window else ():
        start = edges(check).start
        if isinstance(start, Day):
            return start if on_days else Midnight(start)
        if start is not None and not on_days:
            return start
    return None


def _near(span: Span | None, first: str, last: str, bind: Binder) -> str:
    """The two are no further apart than the span."""
    if span is None:
        return "true"
    if span.exact:
        return f"{last} <= {first} + {_length(span, bind)}"
    return f"{_day(last, bind)} <= {_day(first, bind)} + {_length(span, bind)}"


def _over(span: Span, bind: Binder) -> str:
    """The stretch that began at `moment` is over at the clock."""
    if span.exact:
        return f"{bind(NOW)} > moment + {_length(span, bind)}"
    return f"{bind(TODAY)} > {_day('moment', bind)} + {_length(span, bind)}"


def _length(span: Span, bind: Binder) -> str:
    return f"{_SPANS[span.unit]}(CAST({bind(span.count)} AS INTEGER))"


def _day(moment: str, bind: Binder) -> str:
    return f"CAST(({moment} AT TIME ZONE 'UTC') AT TIME ZONE {bind(Zone())} AS DATE)"
