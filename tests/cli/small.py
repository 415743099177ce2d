"""A small company, published: what verbs that read the copy are tried on."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer
import yaml
from typer.testing import CliRunner, Result

from audiencehub.ledger import Ledger
from audiencehub.warehouse import Warehouse, history

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 16, 14, tzinfo=UTC)
SETTINGS = """
[company]
name = "Test"
timezone = "America/New_York"
currency = "USD"
[sources.crm]
connector = "files"
priority = 1
[sources.crm.options]
path = "drops/*.csv"
table = "contact"
columns = { email = "E-mail" }
key = ["E-mail"]
required = ["email"]
"""


def project(folder: Path) -> Path:
    """Settings, schedules and an empty folder of rules."""
    shutil.copy(ROOT / "prefect.yaml", folder)
    shutil.copytree(ROOT / "flows", folder / "flows")
    (folder / "deployments").mkdir()
    (folder / "deployments" / "sandbox.toml").write_text(SETTINGS)
    (folder / "segment_rules").mkdir()
    return folder


def rule(folder: Path, name: str, when: Any, of: str = "contact", **more: Any) -> Path:
    """Write a rule file into the project."""
    values = {"segment": name, "label": name.title(), "model": "intent", "of": of, "when": when}
    path = folder / "segment_rules" / f"{name}.yaml"
    text = yaml.safe_dump({**values, **more}, sort_keys=False, allow_unicode=True)
    path.write_text(text, "utf-8")
    return path


def run(*words: str) -> Result:
    """One verb as a person types it."""
    from audiencehub.cli import ask, audiences, backtest, preview, rules

    app = typer.Typer()
    for module in (rules, preview, backtest, ask, audiences):
        module.register(app)
    return CliRunner().invoke(app, list(words))


def answer(*words: str) -> Any:
    """The verb's JSON; fails the test when it failed."""
    found = run(*words, "--json")
    assert found.exit_code == 0, (found.output, found.exception)
    return json.loads(found.stdout)


def git(folder: Path, *words: str) -> None:
    """git in the project, as nobody in particular."""
    who = ("-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def publish(
    folder: Path, known: Mapping[datetime, Mapping[str, list[dict[str, Any]]]], now: datetime = NOW
) -> None:
    """Publish tables as they stood at each time, the last of them now. Each time's tables replace
    those before; contacts and accounts get a history of it."""
    home = folder / ".audiencehub" / "sandbox"
    Ledger.open(home).close()
    warehouse = Warehouse.open(home)
    try:
        for at, tables in sorted(known.items()):
            for name in tables:
                warehouse.connection.execute(f'DELETE FROM "{name}"')
                for row in tables[name]:
                    _insert(warehouse, name, row)
            history.record(warehouse.connection, warehouse.tables, at)
            warehouse.set("known_at", at.strftime("%Y-%m-%d %H:%M:%S.%f"))
        warehouse.set("evaluated_at", now.isoformat())
        warehouse.publish(now)
    finally:
        warehouse.close()


def _insert(warehouse: Warehouse, name: str, row: Mapping[str, Any]) -> None:
    columns = ", ".join(f'"{one}"' for one in row)
    marks = ", ".join("?" * len(row))
    values = [_stored(value) for value in row.values()]
    warehouse.connection.execute(f'INSERT INTO "{name}"({columns}) VALUES ({marks})', values)


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return str(value) if isinstance(value, Decimal) else value


def ago(days: float) -> datetime:
    """An instant so many days before now."""
    return NOW - timedelta(days=days)


def company() -> dict[str, list[dict[str, Any]]]:
    """Forty contacts of ten accounts. Accounts 1 to 4 are fintech; account n has 100 n people;
    contact n is of account (n - 1) mod 10 + 1, and looked at prices n mod 4 times last week."""
    accounts = [
        {
            "account_id": n,
            "name": f"Company {n}",
            "domain": f"company{n}.example",
            "industry": "fintech" if n <= 4 else "retail",
            "employee_count": 100 * n,
            "created_at": ago(700),
        }
        for n in range(1, 11)
    ]
    contacts = [
        {
            "contact_id": n,
            "account_id": (n - 1) % 10 + 1,
            "email": f"person{n}@company{(n - 1) % 10 + 1}.example",
            "title": "CFO" if n % 2 else "Engineer",
            "country": "US",
            "created_at": ago(600 if n <= 30 else 60),
        }
        for n in range(1, 41)
    ]
    events = [
        {"contact_id": n, "name": "page_view", "path": "/pricing", "at": ago(days + 1)}
        for n in range(1, 41)
        for days in range(n % 4)
    ]
    orders = [
        {"contact_id": n, "at": ago(100), "total": Decimal(10 * n), "currency": "USD"}
        for n in range(1, 6)
    ]
    orders.append({"contact_id": 6, "at": ago(100), "total": Decimal(7), "currency": "EUR"})
    deals = [
        {
            "account_id": 1,
            "name": "won since",
            "is_closed": True,
            "is_won": True,
            "amount": Decimal(500),
            "currency": "USD",
            "created_at": ago(300),
            "close_date": date(2026, 8, 1),
        }
    ]
    return {
        "account": accounts,
        "contact": contacts,
        "event": events,
        "order": orders,
        "deal": deals,
    }
