"""Record: publish the copy that readers open, write the report, close the run."""

from __future__ import annotations

from typing import Any

from audiencehub.hub import Hub
from audiencehub.insight import report


def publish(hub: Hub) -> None:
    """Let readers see this run's evaluation, before anything of it is sent."""
    hub.warehouse.publish(hub.now)


def record(hub: Hub, state: str, summary: dict[str, Any]) -> str:
    """Write the HTML report and close the run in the ledger; returns the report's path."""
    path = report.write(
        hub.settings.folder / "reports",
        hub.run_id,
        state,
        summary,
        hub.rules,
        hub.settings,
        hub.now,
        hub.ledger,
    )
    hub.ledger.runs.finish(hub.run_id, state, hub.now, summary)
    hub.progress("record", 1, 1)
    return str(path)
