"""A hub on real stores, and a source whose pages a test writes down."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import connectors
from audiencehub import rebuild
from audiencehub.hub import Hub
from audiencehub.landing import sweep
from audiencehub.ledger import Ledger
from audiencehub.rules.book import RuleBook
from audiencehub.settings import Company, Identity, Settings, SourceEntry
from audiencehub.steps import land, normalize, pull, resolve
from audiencehub.warehouse import Warehouse

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)

SCRIPTED = '''
    """A source that says what its script file says."""
    import json
    from datetime import datetime
    from pathlib import Path
    from audiencehub.connector import Source, Spec
    from audiencehub.errors import Incomplete, SkipRow, Stop
    from audiencehub.model import Page, Row, Stream

    SPEC = Spec(name="scripted", label="Scripted", about="For tests",
                source="connectors.scripted:Scripted")

    class Scripted(Source):
        streams = tuple(map(Stream, ("contact", "account", "event", "order", "consent")))

        def available(self):
            names = json.loads(Path(self.context.options["script"]).read_text())
            return [one for one in self.streams if one.name in names]

        def check(self):
            return "fine"

        def pull(self, stream, cursor):
            for page in json.loads(Path(self.context.options["script"]).read_text())[stream.name]:
                if page.get("incomplete"):
                    raise Incomplete("The body was cut.", hint="Try again")
                if page.get("stop"):
                    raise Stop("A field is gone.", hint="Map another")
                yield Page(**page)

        def rows(self, stream, record):
            if record.get("skip"):
                raise SkipRow("No use.", hint="Mend it", code=record["skip"])
            yield Row(record.get("table", stream.name), record["id"], record["values"],
                      datetime.fromisoformat(record["at"]) if record.get("at") else None,
                      record.get("deleted", False), record.get("merged_into"))
'''


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[None]:
    folder = tmp_path / "more" / "scripted"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(textwrap.dedent(SCRIPTED))
    connectors.__path__.append(str(folder.parent))
    yield
    connectors.__path__.remove(str(folder.parent))
    sys.modules.pop("connectors.scripted", None)


class Desk:
    """Runs the first steps over scripted sources, a run at a time."""

    def __init__(self, folder: Path, sources: tuple[str, ...] = ("crm", "shop")) -> None:
        self.folder = folder
        entries = {
            name: SourceEntry(
                connector="scripted",
                priority=place,
                options={"script": str(folder / f"{name}.json")},
            )
            for place, name in enumerate(sources)
        }
        self.settings = Settings(
            company=Company(name="Acme Analytics", timezone="UTC"),
            sources=entries,
            identity=Identity(free_email_domains=["mailbox.example"]),
            home=Path("home"),
            root=folder,
        )
        self.settings.folder.mkdir(parents=True)
        self.ledger = Ledger.open(self.settings.folder)
        self.warehouse = Warehouse.open(self.settings.folder)
        self.runs = 0

    @property
    def hub(self) -> Hub:
        book = RuleBook({}, ZoneInfo("UTC"))
        at = NOW + timedelta(hours=self.runs)
        return Hub(self.settings, self.ledger, self.warehouse, book, f"run{self.runs}", at)

    def run(self, *, full: bool = False, **scripts: dict[str, Any]) -> dict[str, Any]:
        """Write each source's script, then pull to resolve; what each step returned."""
        self.runs += 1
        hub = self.hub
        sweep(self.settings, hub.run_id, self.ledger.manifests.files())
        seen: dict[str, Any] = {}
        for name, script in scripts.items():
            (self.folder / f"{name}.json").write_text(json.dumps(script), "utf-8")
            seen[name] = pull.pull(hub, name, full)
            land.land(hub, name)
        rebuild.catch_up(hub)
        seen["normalize"] = normalize.normalize(hub)
        seen["resolve"] = resolve.resolve(hub)
        return seen

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.warehouse.connection.execute(sql).fetchall()

    def reopen(self) -> None:
        """What the next process opens."""
        self.ledger = Ledger.open(self.settings.folder)
        self.warehouse = Warehouse.open(self.settings.folder)

    def close(self) -> None:
        self.ledger.close()
        self.warehouse.close()


@pytest.fixture
def desk(tmp_path: Path, scripted: None) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.fixture
def fresh_desk(tmp_path: Path, scripted: None) -> Iterator[Callable[[], Desk]]:
    """A new company each time it is called."""
    made: list[Desk] = []

    def make() -> Desk:
        if made:
            made[-1].close()
        folder = tmp_path / f"desk{len(made)}"
        folder.mkdir()
        made.append(Desk(folder))
        return made[-1]

    yield make
    if made:
        made[-1].close()


@pytest.fixture
def contact() -> Callable[..., dict[str, Any]]:
    def make(key: str, **values: Any) -> dict[str, Any]:
        extra = {
            name: values.pop(name) for name in ("deleted", "merged_into", "skip") if name in values
        }
        return {"id": key, "values": values, "at": "2026-11-01T00:00:00+00:00", **extra}

    return make


def whole(*records: dict[str, Any], **page: Any) -> list[dict[str, Any]]:
    """One page that is the whole stream."""
    return [{"records": list(records), "last": True, "full": True, **page}]


__all__ = ["NOW", "Desk", "replace", "whole"]
