"""Rules over a synthetic company: the compiled book against one statement per rule, and against
reading the columns once. Prints a table of ratios in CPU seconds."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import duckdb
from rich.console import Console
from rich.table import Table

from audiencehub import rules
from audiencehub.rules.book import RuleBook
from audiencehub.warehouse.schema import statements
from tests.bench import identity

CLOCK = datetime(2026, 11, 16, 9, tzinfo=UTC)
ROUNDS = 5
READ_ONCE = {
    "contact": ("lifecycle_stage", "account_id", "title", "created_at"),
    "account": ("industry", "employee_count", "type"),
    "event": ("contact_id", "name", "at", "path"),
}
"""Columns that the shipped rules read; a hash of each value keeps the engine from skipping any."""


def read_once(connection: duckdb.DuckDBPyConnection) -> None:
    """Touch every needed value once."""
    for table, columns in READ_ONCE.items():
        hashes = ", ".join(f'bit_xor(hash("{one}"))' for one in columns)
        connection.execute(f"SELECT {hashes} FROM {table}").fetchall()


def company(contacts: int) -> duckdb.DuckDBPyConnection:
    """An empty warehouse filled by SQL: contacts, a tenth as many accounts, 20 events each."""
    connection = duckdb.connect()
    for statement in statements():
        connection.execute(statement)
    connection.execute("SELECT setseed(0.42)")
    industries = "['software','fintech','banking','retail','healthcare']"
    connection.execute(
        f"""INSERT INTO account(account_id, industry, employee_count, type)
        SELECT i, {industries}[1 + (i % 5)], (random() * 5000)::BIGINT,
               CASE WHEN i % 4 = 0 THEN 'customer' ELSE 'prospect' END
        FROM range({contacts // 10}) t(i)"""
    )
    connection.execute(
        f"""INSERT INTO contact(contact_id, account_id, title, lifecycle_stage, created_at)
        SELECT i, i % {contacts // 10}, CASE WHEN i % 7 = 0 THEN 'VP Sales' ELSE 'Engineer' END,
               ['lead','mql','customer'][1 + (i % 3)],
               TIMESTAMP '2024-01-01' + INTERVAL (random() * 900) DAY
        FROM range({contacts}) t(i)"""
    )
    connection.execute(
        f"""INSERT INTO event(contact_id, name, "at", path)
        SELECT (random() * {contacts - 1})::INTEGER,
               ['page_view','login','feature_used'][1 + (i % 3)],
               TIMESTAMP '2026-11-16' - INTERVAL (random() * 365) DAY,
               ['/pricing','/docs','/blog'][1 + (i % 3)]
        FROM range({contacts * 20}) t(i) ORDER BY 3"""
    )
    return connection


def cpu(work: Callable[[], None]) -> float:
    """Median CPU seconds of the rounds, after one that is not counted."""
    times = []
    for _ in range(ROUNDS + 1):
        before = resource.getrusage(resource.RUSAGE_SELF)
        work()
        after = resource.getrusage(resource.RUSAGE_SELF)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return median(times[1:])


def one_at_a_time(book: RuleBook) -> list[RuleBook]:
    """A book of each rule (with what it refers to)."""
    found = []
    for name, segment in book.segments.items():
        needed = {name: segment} | {need: book.segments[need] for need in segment.needs}
        found.append(replace(book, segments=needed))
    return found


def main() -> None:
    """Run and print."""
    contacts = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    root = Path(__file__).parents[2]
    book = rules.load(root / "segment_rules", zone=ZoneInfo("America/New_York"), root=root)
    connection = company(contacts)
    ours = cpu(lambda: rules.compile_book(book, CLOCK).run(connection))
    singles = [rules.compile_book(one, CLOCK) for one in one_at_a_time(book)]
    apart = cpu(lambda: [one.run(connection) for one in singles] and None)
    once = cpu(lambda: read_once(connection))
    table = Table(title=f"{len(book.segments)} rules, {contacts:,} contacts, 20 events each")
    for head in ("what", "CPU s", "ours is"):
        table.add_column(head)
    table.add_row("ours: the whole book in one pass", f"{ours:.2f}", "")
    table.add_row("each rule compiled and run alone", f"{apart:.2f}", f"{ours / apart:.2f} x")
    table.add_row("reading the needed columns once", f"{once:.3f}", f"{ours / once:.1f} x")
    Console(width=100).print(table)
    identity.main()


if __name__ == "__main__":
    main()
