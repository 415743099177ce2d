"""The scratch warehouse as of an earlier instant: what the hub knew then, or what had happened.

Facts keep one version, the latest. One that changed after the instant is set back as far as its
own dates tell: a deal closed since was open, a contract cancelled since ran. Where they tell
nothing the value is unknown, never the later one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

from audiencehub.canonical import Table
from audiencehub.insight.reads import readings
from audiencehub.insight.trial import Connection
from audiencehub.rules import RuleBook
from audiencehub.rules.language.catalog import BORN
from audiencehub.rules.language.form import FieldTest, parts_of
from audiencehub.rules.language.trait import Score
from audiencehub.warehouse import history
from audiencehub.warehouse.scratch import COPY, replace

Mode = Literal["known", "hindsight"]
ENTITIES = ("contact", "account")
SET_BACK: Mapping[str, Mapping[str, str]] = {
    "deal": {
        "is_closed": "CASE WHEN is_closed AND close_date > $day THEN false ELSE is_closed END",
        "is_won": "CASE WHEN is_closed AND close_date > $day THEN false ELSE is_won END",
        "stage": "CASE WHEN is_closed AND close_date > $day THEN NULL ELSE stage END",
        "probability": "CASE WHEN is_closed AND close_date > $day THEN NULL ELSE probability END",
    },
    "ticket": {
        "status": "CASE WHEN solved_at > $at THEN 'open' ELSE status END",
        "csat": "CASE WHEN solved_at > $at THEN NULL ELSE csat END",
        "solved_at": "CASE WHEN solved_at > $at THEN NULL ELSE solved_at END",
    },
    "subscription": {
        "status": "CASE WHEN trial_end > $at THEN 'trialing' "
        "WHEN canceled_at > $at THEN 'active' ELSE status END",
        "canceled_at": "CASE WHEN canceled_at > $at THEN NULL ELSE canceled_at END",
    },
    "technology_install": {
        "is_live": "CASE WHEN last_detected_at > $at THEN true ELSE is_live END",
        "last_detected_at": "least(last_detected_at, $at)",
    },
}
"""Fact table to what its columns were at $at, the local $day."""
STAY = {
    "left_at": "CASE WHEN left_at > $at THEN NULL ELSE left_at END",
}


def known_since(connection: Connection) -> datetime | None:
    """When the hub first read anything; aware. None: never."""
    (found,) = connection.execute(
        "SELECT min(first) FROM (SELECT min(valid_from) AS first FROM contact_history "
        "UNION ALL SELECT min(valid_from) FROM account_history)"
    ).fetchall()[0]
    return None if found is None else found.replace(tzinfo=UTC)


def blind(connection: Connection, book: RuleBook, segment: str, at: datetime) -> dict[str, date]:
    """Tables of facts, and scores, that the rule reads and that begin only after `at`, with their
    first day."""
    tables = {one.table for one in readings(book.segments[segment].when, book)} & BORN.keys()
    asked: dict[str, tuple[str, list[str]]] = {
        table: (f'SELECT min("{BORN[table]}") FROM {COPY}."{table}"', [])
        for table in sorted(tables)
    }
    for model in sorted(set(_learnt(book.segments[segment].when, book))):
        sql = f'SELECT min("at") FROM {COPY}.model_score WHERE model = ?'
        asked[f"score of {model}"] = (sql, [model])
    found = {}
    for what, (sql, values) in asked.items():
        ((first,),) = connection.execute(sql, values).fetchall()
        day = first.date() if isinstance(first, datetime) else first
        if day is not None and day > at.date():
            found[what] = day
    return found


def _learnt(node: Any, book: RuleBook) -> Iterator[str]:
    """The models whose scores a condition reads, through traits of traits too."""
    for part in parts_of(node):
        if isinstance(part, Score):
            yield part.model
        elif isinstance(part, FieldTest) and part.trait:
            for trait in book.traits.values():
                for column in trait.columns:
                    if column.name == part.field:
                        yield from _learnt(column.body, book)


def rewind(
    connection: Connection,
    tables: Mapping[str, Table],
    at: datetime,
    zone: str,
    mode: Mode,
    late: Collection[int] = (),
) -> None:
    """Set every table that rules read back to `at` (aware), on a scratch warehouse.

    `known`: people and companies with the values that the hub held true then; facts but for those
    that `late` manifests brought. `hindsight`: those created by then, with the values of today;
    every fact dated by then. A fact dated later does not exist for a rule in either.
    """
    instant = f"TIMESTAMP '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
    day = f"CAST(timezone('{zone}', timezone('UTC', {instant})) AS DATE)"
    if mode == "known":
        history.as_of(connection, tables, at)
        for name in ENTITIES:
            replace(connection, name, f"SELECT * FROM {name}_as_of")
            connection.execute(f"DROP VIEW {name}_as_of")
    else:
        for name in ENTITIES:
            replace(connection, name, _existing(tables[name], instant))
    for name, changes in SET_BACK.items():
        swaps = ", ".join(f"{sql} AS {column}" for column, sql in changes.items())
        sql = f'SELECT * REPLACE ({swaps}) FROM "{name}"'
        replace(connection, name, sql.replace("$at", instant).replace("$day", day))
    if mode == "known" and late:
        _without(connection, tables, late, instant)
    _stays(connection, instant)


def _existing(table: Table, instant: str) -> str:
    """Those created by then; the first and last activity counted up to it."""
    swaps = ""
    if table.field("first_event_at"):
        swaps = " REPLACE (span.first_at AS first_event_at, span.last_at AS last_event_at)"
        source = (
            f"{table.name} AS e LEFT JOIN (SELECT contact_id AS own, min(event.at) AS first_at, "
            f"max(event.at) AS last_at FROM event WHERE event.at <= {instant} GROUP BY 1) AS span "
            "ON span.own = e.contact_id"
        )
        return f"SELECT e.*{swaps} FROM {source} WHERE {_created(instant)}"
    return f"SELECT e.* FROM {table.name} AS e WHERE {_created(instant)}"


def _created(instant: str) -> str:
    return f"e.created_at IS NULL OR e.created_at <= {instant}"


def _without(
    connection: Connection, tables: Mapping[str, Table], late: Collection[int], instant: str
) -> None:
    """Leave out facts that were read later although they are dated before."""
    listed = ", ".join(str(int(one)) for one in sorted(late))
    for name in tables:
        if name not in BORN:
            continue
        replace(
            connection,
            name,
            f'SELECT f.* FROM "{name}" AS f ANTI JOIN (SELECT source, source_id FROM '
            f"source_{name} WHERE manifest_id IN ({listed}) AND observed_at <= {instant}) AS l "
            "ON l.source = f.source AND l.source_id = f.source_id",
        )


def _stays(connection: Connection, instant: str) -> None:
    """The membership log up to then, where the warehouse keeps it."""
    there = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'stay'").fetchall()
    if there:
        swaps = ", ".join(f"{sql} AS {column}" for column, sql in STAY.items())
        sql = f"SELECT * REPLACE ({swaps}) FROM stay WHERE entered_at <= $at"
        replace(connection, "stay", sql.replace("$at", instant))
