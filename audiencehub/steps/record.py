"""Record: close the run, publish the copy that readers open, and write the report."""

from __future__ import annotations

from typing import Any

from audiencehub.hub import Hub
from audiencehub.insight import report


def record(hub: Hub, state: str, summary: dict[str, Any]) -> str:
    """Publish, write the HTML report, close the run in the ledger; returns the report's path."""
    published = hub.warehouse.publish(hub.now)
    hub.ledger.runs.finish(hub.run_id, state, hub.now, summary)
    path = report.write(
        hub.settings.folder / "reports",
        report.gather(hub.ledger, hub.warehouse.connection, hub.rules, hub.run_id, hub.settings, hub.now),
    )
    hub.progress("record", 1, 1)
    assert published.exists()
    return str(path)
