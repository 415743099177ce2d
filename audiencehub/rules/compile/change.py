"""SQL of what moves with time: a change between two windows, and intent that fades.

Both are aggregates over one group's rows, so that they ride in the scan of their table. Nothing is
divided and no power is taken by the engine: a share is compared by multiplying out, and the
factors of a decay are bound as a list, so that every engine and the plain evaluator agree.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache

from audiencehub.rules.compile.bind import Binder
from audiencehub.rules.compile.checks import TODAY, tests_sql
from audiencehub.rules.language.form import Strength, Tests, Trend

PLACES = Decimal("0.000001")


def exact(column: str) -> str:
    """A double as a decimal, unknown from a million millions on: doubles do not add up alike in
    every order. Wide enough that a product does not overflow."""
    return f"CAST(TRY_CAST({column} AS DECIMAL(18, 6)) AS DECIMAL(28, 6))"


@lru_cache(maxsize=64)
def factors(half_life: int) -> tuple[Decimal, ...]:
    """What is left of a signal after 0, 1, 2, … days, to six decimals; the last is nought."""
    found: list[Decimal] = []
    with localcontext() as context:
        context.prec = 40
        while not found or found[-1]:
            share = Decimal("0.5") ** (Decimal(len(found)) / half_life)
            found.append(share.quantize(PLACES, ROUND_HALF_UP))
    return tuple(found)


def strength_sql(leaf: Strength, keep: str, dated: str, bind: Binder) -> str:
    """The verdict on the strongest signal of the rows kept, true or false."""
    table = factors(leaf.half_life)
    # A signal without a date is unknown, and least() would pass over its age.
    age = f"least({bind(TODAY)} - ({dated}), {bind(len(table) - 1)})"
    left = f"list_extract(CAST({bind(table)} AS DECIMAL(7, 6)[]), {age} + 1)"
    left = f"CASE WHEN ({dated}) IS NOT NULL THEN {left} END"
    value = f"max({exact('r.score')} * {left}){_only(keep)}"
    return f"({tests_sql(leaf.tests, f'({value})', 'decimal', bind)})"


def trend_sql(leaf: Trend, keep: str, dated: str, kind: str, column: str, bind: Binder) -> str:
    """The verdict on the change, true or false. `keep` holds for the rows of both windows."""
    late = tests_sql(Tests((leaf.last,)), f"({dated})", kind, bind)
    last, before = _only(keep, late), _only(keep, f"NOT {late}")
    if leaf.how == "count":
        return _change(leaf, f"count(*){last}", f"count(*){before}", bind)
    if leaf.how == "distinct":
        many = f"count(DISTINCT {column})"
        return _change(leaf, f"{many}{last}", f"{many}{before}", bind)
    number = exact(column) if leaf.of_type == "number" else column
    total, count = f"sum({number})", f"count({number})"
    if leaf.how == "sum":
        return _change(leaf, f"coalesce({total}{last}, 0)", f"({total}{before})", bind)
    # Averages over each other, multiplied out: s / c against t / d is s * d against t * c.
    ahead = f"({total}{last}) * ({count}{before})"
    return _change(leaf, ahead, f"({total}{before}) * ({count}{last})", bind)


def _change(leaf: Trend, last: str, before: str, bind: Binder) -> str:
    """`(last - before) / before` under the tests; unknown where nothing was before."""
    gap = f"CASE WHEN ({before}) <> 0 THEN (({last}) - ({before})) * sign({before}) END"
    return f"({tests_sql(leaf.tests, f'({gap})', 'decimal', bind, f' * abs({before})')})"


def _only(*conditions: str) -> str:
    kept = " AND ".join(f"({one})" for one in conditions if one)
    return f" FILTER (WHERE {kept})" if kept else ""
