"""What resolving an increment costs, beside resolving everything: the whole step."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.canonical import Field, Table
from audiencehub.hub import Hub
from audiencehub.ledger import Ledger
from audiencehub.rules.book import RuleBook
from audiencehub.settings import Company, Settings, SourceEntry
from audiencehub.steps.resolve import resolve
from audiencehub.warehouse import Warehouse, touched
from audiencehub.warehouse.schema import hashes

CLOCK = datetime(2026, 11, 16, 9, tzinfo=UTC)
SOURCE = "CASE WHEN i % 10 < 4 THEN 'crm' WHEN i % 10 < 7 THEN 'shop' ELSE 'mail' END"
"""Three sources; thirty in a hundred records of the others are somebody of the first."""
PERSON = """CASE WHEN i % 10 >= 4 AND hash(i) % 100 < 30
    THEN (hash(i * 7) % ($records // 10)) * 10 + hash(i * 3) % 4 ELSE i END"""
RECORD = "1 AS manifest_id, false AS deleted"
LATELY = "TIMESTAMP '2026-01-01' + to_seconds(CAST(hash(i * {n}) % 25000000 AS BIGINT))"
CONTACT = {
    "email": "'p' || person || '@d' || person % 40000 || '.example'",
    "email_domain": "'d' || person % 40000 || '.example'",
    "company_domain": "'d' || person % 40000 || '.example'",
    "external_id": "CASE WHEN hash(i * 13) % 100 < 60 THEN 'K' || person END",
    "created_at": LATELY.format(n=5),
}
ACCOUNT = {
    "domain": "'d' || i || '.example'",
    "name": "'Company ' || i",
    "created_at": LATELY.format(n=5),
}
FACTS = {
    "event": (2.0, {"name": "'visit'", "at": LATELY.format(n=3)}),
    "order": (0.2, {"total": "i % 900", "currency": "'EUR'", "at": LATELY.format(n=3)}),
    "deal": (0.05, {"amount": "i % 9000", "currency": "'USD'", "created_at": LATELY.format(n=3)}),
    "consent": (0.1, {"purpose": "'marketing'", "channel": "'email'", "status": "'granted'"}),
}
"""Fact to rows per contact and columns that are filled; all are linked to a contact record."""


def filler(place: int, field: Field) -> str | None:
    """SQL of a column that is filled for most, with few, some or many values."""
    if field.type == "text":
        kinds = (30, 5000, 1_000_000)[place % 3]
        value = f"'{field.name} ' || hash(i * 17 + {place}) % {kinds}"
        return f"CASE WHEN hash(i * 31 + {place}) % 10 < 7 THEN {value} END"
    if field.type in ("number", "money", "integer"):
        return f"CASE WHEN hash(i * 31 + {place}) % 10 < 5 THEN hash(i + {place}) % 9000 END"
    return None


def columns(table: Table, known: dict[str, str]) -> str:
    """All columns of a table that are filled, as a list to select."""
    found = {
        one.name: known.get(one.name) or filler(place, one)
        for place, one in enumerate(table.fields)
        if one.name not in ("last_seen_at", "first_event_at", "last_event_at")
    }
    return ", ".join(f'{sql} AS "{name}"' for name, sql in found.items() if sql)


def fill(warehouse: Warehouse, records: int) -> None:
    """A company: contacts, one account for twenty of them, and their facts."""
    execute, tables = warehouse.connection.execute, warehouse.tables
    execute(
        _into("contact", "account_key") + f"SELECT {RECORD}, {SOURCE} AS source, "
        f"CAST(i AS VARCHAR) AS source_id, {LATELY.format(n=3)} AS observed_at, "
        f"'a' || hash(i * 7) % ($records // 20) AS account_ref, "
        f"{columns(tables['contact'], CONTACT)} "
        f"FROM (SELECT i, {PERSON} AS person FROM range($records) t(i))) s",
        {"records": records},
    )
    execute(
        _into("account") + f"SELECT {RECORD}, 'crm' AS source, "
        f"'a' || i AS source_id, {LATELY.format(n=3)} AS observed_at, "
        f"CASE WHEN i % 10 = 0 THEN 'a' || i // 2 END AS parent_ref, "
        f"{columns(tables['account'], ACCOUNT)} FROM range($records // 20) t(i)) s",
        {"records": records},
    )
    for name, (each, known) in FACTS.items():
        more = ", ".join(f'{sql} AS "{column}"' for column, sql in known.items())
        execute(
            _into(name, "contact_key") + f"SELECT {RECORD}, "
            f"{SOURCE.replace('i %', 'who %')} AS source, '{name[0]}' || i AS source_id, "
            f"CAST(who AS VARCHAR) AS contact_ref, {more} "
            f"FROM (SELECT i, CAST(hash(i * 19) % {records} AS BIGINT) AS who "
            f"FROM range({int(each * records)}) t(i))) s"
        )


def _into(name: str, *keys: str) -> str:
    """The beginning of a statement that puts rows `s` into a source table, with their hashes."""
    made = ", ".join(f"{hashes('s')[key]} AS {key}" for key in ("record_key", *keys))
    return f"INSERT INTO source_{name} BY NAME SELECT s.*, {made} FROM ("


def change(warehouse: Warehouse, part: int, round_: int) -> int:
    """One record in `part` of each table differs, one contact in five of these by its address.

    As a pull leaves them: the rows that stood are gone, and those that came stand at the end.
    """
    execute, total = warehouse.connection.execute, 0
    other = {
        "contact": "title = 'Title {n}', email = CASE WHEN hash(source_id) % 5 = 0 "
        "THEN 'n{n}' || source_id || '@x.example' ELSE email END",
        "account": "name = 'Name {n}'",
        "event": "name = 'login {n}'",
        "order": "total = {n}",
        "deal": "amount = {n}",
        "consent": "status = 'denied'",
    }
    for name, said in other.items():
        which = f"hash(source_id || '{round_}') % {part} = 0"
        execute(
            f"CREATE OR REPLACE TEMP TABLE page AS SELECT source, source_id "
            f"FROM source_{name} WHERE {which}"
        )
        touched.record(warehouse.connection, name, "page")
        execute(f"CREATE OR REPLACE TEMP TABLE came AS FROM source_{name} WHERE {which}")
        execute(f"UPDATE came SET {said.format(n=round_)}")
        execute(f"DELETE FROM source_{name} WHERE {which}")
        execute(f"INSERT INTO source_{name} FROM came")
        total += int(execute("SELECT count(*) FROM page").fetchall()[0][0])
    execute("CHECKPOINT")
    return total


def spent(work: Callable[[], Any]) -> tuple[float, float]:
    """CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def increments(folder: Path, records: int) -> list[tuple[str, str]]:
    """Everything, then one record in a hundred, in a thousand, and none."""
    sources = {name: SourceEntry(connector="x") for name in ("crm", "shop", "mail")}
    settings = Settings(
        company=Company(name="Acme", timezone="UTC"), sources=sources, home=Path("h"), root=folder
    )
    settings.folder.mkdir(parents=True)
    ledger, warehouse = Ledger.open(settings.folder), Warehouse.open(settings.folder)
    fill(warehouse, records)
    runs = iter(range(100))

    def run() -> tuple[float, float]:
        book = RuleBook({}, ZoneInfo("UTC"))
        hub = Hub(settings, ledger, warehouse, book, f"run{next(runs)}", CLOCK)
        taken = spent(lambda: resolve(hub))
        touched.clear(warehouse.connection)
        warehouse.connection.execute("CHECKPOINT")
        return taken

    first = run()
    for key in ("resolved_by", "identity_contact_policy", "identity_account_policy"):
        warehouse.set(key, "")
    whole = run()
    rows = [
        ("contacts; all records", f"{records:,}; {_records(warehouse):,}"),
        ("first run, ids from the ledger", f"{first[0]:.1f} s CPU, {first[1]:.1f} s"),
        ("everything again, ids known", f"{whole[0]:.1f} s CPU, {whole[1]:.1f} s"),
    ]
    for label, part in (("1 %", 100), ("0.1 %", 1000)):
        changed = change(warehouse, part, part)
        cpu, wall = run()
        rows.append((f"{label}: {changed:,} records changed", f"{cpu:.2f} s CPU, {wall:.2f} s"))
        rows.append((f"{label} against everything", f"{cpu / whole[0]:.3f} x CPU"))
    cpu, wall = run()
    rows.append(("nothing changed", f"{cpu:.2f} s CPU, {wall:.2f} s"))
    ledger.close()
    warehouse.close()
    return rows


def _records(warehouse: Warehouse) -> int:
    found = warehouse.connection.execute(
        " UNION ALL ".join(f"SELECT count(*) FROM source_{name}" for name in warehouse.tables)
    ).fetchall()
    return sum(int(n) for (n,) in found)
