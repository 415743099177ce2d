"""Record: close the run, publish the copy that readers open, and write the report."""

from __future__ import annotations

from typing import Any

from audiencehub.hub import Hub
from audiencehub.insight import report


def record(hub: Hub, state: str, summary: dict[str, Any]) -> str:
    """Publish, write the HTML report, close the run in the ledger; returns the report's path."""
    hub.warehouse.publish(hub.now)
    path = report.write(
        hub.settings.folder / "reports",
        hub.run_id,
        state,
        summary,
        hub.rules,
        hub.settings,
        hub.now,
    )
    hub.ledger.runs.finish(hub.run_id, state, hub.now, summary)
    hub.progress("record", 1, 1)
    return str(path)
