"""A small company that reads one file: from pull to resolve, on real stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from audiencehub import rebuild
from audiencehub.hub import Hub
from audiencehub.landing import sweep
from audiencehub.ledger import Ledger
from audiencehub.rules.book import RuleBook
from audiencehub.settings import Company, Settings, SourceEntry
from audiencehub.steps.land import land
from audiencehub.steps.normalize import normalize
from audiencehub.steps.pull import pull
from audiencehub.steps.resolve import resolve
from audiencehub.warehouse import Warehouse

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


class Reading:
    """The hub of a folder, opened, run and closed."""

    def __init__(self, folder: Path) -> None:
        columns = {"email": "Mail", "first_name": "First"}
        options = {
            "path": "drops/people.csv", "table": "contact", "columns": columns, "key": ["Mail"],
            "snapshot": True,
        }  # fmt: skip
        self.settings = Settings(
            company=Company(name="Acme Analytics", timezone="UTC"),
            sources={"drop": SourceEntry(connector="files", options=options)},
            home=Path("home"),
            root=folder,
        )

    def run(self) -> list[str]:
        """One run; the addresses that are known afterwards, sorted."""
        self.settings.folder.mkdir(parents=True, exist_ok=True)
        ledger = Ledger.open(self.settings.folder)
        try:
            warehouse = Warehouse.open(self.settings.folder)
            try:
                number = len(ledger.manifests.after(0)) + 1
                hub = Hub(
                    self.settings, ledger, warehouse, RuleBook({}, ZoneInfo("UTC")),
                    f"run{number}", NOW + timedelta(hours=number),
                )  # fmt: skip
                sweep(self.settings, hub.run_id, ledger.manifests.files())
                pull(hub, "drop")
                land(hub, "drop")
                rebuild.catch_up(hub)
                normalize(hub)
                resolve(hub)
                found = warehouse.connection.execute("SELECT email FROM contact ORDER BY 1")
                return [str(row[0]) for row in found.fetchall()]
            finally:
                warehouse.close()
        finally:
            ledger.close()
