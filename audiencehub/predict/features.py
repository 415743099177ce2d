"""What a model may know of a person at an instant: facts dated before it, and standing attributes.

Fields that a conversion itself changes (lifecycle stage, type of the account) are left out: a model
that reads its answer predicts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import numpy as np
import numpy.typing as npt

Connection = duckdb.DuckDBPyConnection
Matrix = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int32]

EVENTS = (
    "page_view",
    "login",
    "feature_used",
    "email_click",
    "webinar_attended",
    "cart_abandoned",
    "demo_requested",
    "trial_started",
    "meeting",
    "call",
)
WINDOWS = (30, 90)
"""Days before the instant over which events are counted."""
NEVER_DAYS = 400.0
"""Stands for the age of an event that never was."""
SENIORITY = (
    "intern",
    "entry",
    "senior",
    "manager",
    "director",
    "head",
    "vp",
    "partner",
    "c_suite",
    "founder",
    "owner",
)
DEPARTMENTS = (
    "sales",
    "marketing",
    "engineering",
    "finance",
    "operations",
    "information_technology",
)
BUSINESS_MODELS = ("b2b", "b2c", "b2b2c", "nonprofit")


@dataclass(frozen=True, slots=True)
class Features:
    """One row per contact, by contact id; one column per name. No unknown values."""

    ids: Ids
    values: Matrix
    names: tuple[str, ...]

    def only(self, wanted: Ids) -> Features:
        """The rows of these contacts."""
        keep = np.isin(self.ids, wanted)
        return Features(self.ids[keep], self.values[keep], self.names)


def features_at(connection: Connection, at: datetime) -> Features:
    """The features of every contact at an instant (aware); counts and sums are logarithms."""
    columns = [*_people(), *_events(), *_orders(), *_account()]
    selected = ", ".join(f"CAST({sql} AS DOUBLE)" for _, sql in columns)
    found = connection.execute(
        f"SELECT c.contact_id, {selected} FROM contact c "
        "LEFT JOIN account a USING (account_id) "
        f"LEFT JOIN ({_EVENT_ROWS}) e ON e.contact_id = c.contact_id "
        f"LEFT JOIN ({_ORDER_ROWS}) o ON o.contact_id = c.contact_id "
        f"LEFT JOIN ({_DEAL_ROWS}) d ON d.account_id = c.account_id "
        f"LEFT JOIN ({_INTENT_ROWS}) i ON i.account_id = c.account_id "
        "ORDER BY c.contact_id",
        {"at": stored(at)},
    ).fetchnumpy()
    arrays = [np.ma.filled(one, 0).astype(np.float64) for one in list(found.values())[1:]]
    ids = np.asarray(found["contact_id"], dtype=np.int32)
    values = np.column_stack(arrays) if len(ids) else np.zeros((0, len(columns)))
    return Features(ids, np.nan_to_num(values), tuple(name for name, _ in columns))


def stored(at: datetime) -> datetime:
    """An aware instant as the warehouse keeps it: naive UTC."""
    return at.astimezone(UTC).replace(tzinfo=None)


def _people() -> list[tuple[str, str]]:
    levels = " ".join(f"WHEN '{one}' THEN {n}" for n, one in enumerate(SENIORITY, 1))
    found = [("seniority", f"CASE c.seniority {levels} ELSE 0 END")]
    found += [
        (f"department {one}", f"c.department IS NOT DISTINCT FROM '{one}'") for one in DEPARTMENTS
    ]

    found.append(("has phone", "c.phone IS NOT NULL"))
    return found


def _events() -> list[tuple[str, str]]:
    found = [
        (f"{name} in {days} days", f"ln(1 + coalesce(e.{name}_{days}, 0))")
        for name in EVENTS
        for days in WINDOWS
    ]
    found.append(("pricing page in 30 days", "ln(1 + coalesce(e.pricing_30, 0))"))
    found.append(("active days in 90 days", "coalesce(e.days_90, 0)"))
    found.append(("days since last event", f"least(coalesce(e.age, {NEVER_DAYS}), {NEVER_DAYS})"))
    return found


def _orders() -> list[tuple[str, str]]:
    return [
        ("orders in a year", "ln(1 + coalesce(o.orders, 0))"),
        ("order total in a year", "ln(1 + greatest(coalesce(o.total, 0), 0))"),
        ("days since last order", f"least(coalesce(o.age, {NEVER_DAYS}), {NEVER_DAYS})"),
    ]


def _account() -> list[tuple[str, str]]:
    found = [
        ("has account", "c.account_id IS NOT NULL"),
        ("employees", "ln(1 + greatest(coalesce(a.employee_count, 0), 0))"),
        ("revenue", "ln(1 + greatest(coalesce(a.annual_revenue, 0), 0))"),
        ("open deals", "coalesce(d.open_deals, 0)"),
        ("won deals before", "coalesce(d.won, 0)"),
        ("intent", "coalesce(i.score, 0)"),
    ]
    found += [
        (f"business model {one}", f"a.business_model IS NOT DISTINCT FROM '{one}'")
        for one in BUSINESS_MODELS
    ]
    return found


def _age(column: str) -> str:
    return f"date_diff('hour', max({column}), $at) / 24.0"


_COUNTS = ", ".join(
    f"count(*) FILTER (WHERE name = '{name}' AND \"at\" >= $at - INTERVAL {days} DAY) "
    f"AS {name}_{days}"
    for name in EVENTS
    for days in WINDOWS
)
_EVENT_ROWS = f"""
    SELECT contact_id, {_COUNTS},
           count(*) FILTER (WHERE name = 'page_view' AND starts_with(path, '/pricing')
                            AND "at" >= $at - INTERVAL 30 DAY) AS pricing_30,
           count(DISTINCT CAST("at" AS DATE))
               FILTER (WHERE "at" >= $at - INTERVAL 90 DAY) AS days_90,
           {_age('"at"')} AS age
    FROM event WHERE "at" < $at AND contact_id IS NOT NULL GROUP BY contact_id"""
_ORDER_ROWS = f"""
    SELECT contact_id, count(*) FILTER (WHERE "at" >= $at - INTERVAL 365 DAY) AS orders,
           sum(total) FILTER (WHERE "at" >= $at - INTERVAL 365 DAY) AS total, {_age('"at"')} AS age
    FROM "order" WHERE "at" < $at AND contact_id IS NOT NULL GROUP BY contact_id"""
_DEAL_ROWS = """
    SELECT account_id,
           count(*) FILTER (WHERE close_date > CAST($at AS DATE) OR NOT is_closed) AS open_deals,
           count(*) FILTER (WHERE is_won AND close_date <= CAST($at AS DATE)) AS won
    FROM deal WHERE created_at < $at AND account_id IS NOT NULL GROUP BY account_id"""
_INTENT_ROWS = """
    SELECT account_id, max(score) AS score FROM intent_signal
    WHERE coalesce(period_end, period_start) < CAST($at AS DATE)
      AND coalesce(period_end, period_start) >= CAST($at AS DATE) - INTERVAL 60 DAY
    GROUP BY account_id"""
