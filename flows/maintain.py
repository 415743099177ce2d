"""The maintain flow: what keeps the stores in order between runs."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from audiencehub import landing
from audiencehub.hub import Hub
from audiencehub.pipeline import Caller, SyncResult
from audiencehub.steps import alert
from flows.running import run_flow
from flows.tasks import Tasks, guarded


@flow(name="maintain", flow_run_name="maintain {env}", persist_result=False, log_prints=False)
def maintain(env: str = "sandbox") -> State[Any]:
    """Sweep what interrupted runs left, and check that the audit chain is whole.

    Args:
        env: Environment: deployments/<env>.toml.
    """

    def work(hub: Hub) -> SyncResult:
        return guarded(keep, hub, Tasks())  # type: ignore[no-any-return]

    return run_flow(env, "maintain", work)


def sweep(hub: Hub) -> int:
    """Landing files that no manifest names, removed; how many."""
    return landing.sweep(hub.settings, hub.run_id, hub.ledger.manifests.files())


def keep(hub: Hub, call: Caller) -> SyncResult:
    """The steps. The result is failed when the chain is broken."""
    result = SyncResult(hub.run_id)
    result.summary["swept"] = call("sweep-landing", ["maintain"], sweep, hub)
    broken = call("verify-audit", ["maintain"], hub.ledger.audit.verify)
    if broken:
        result.state = "failed"
        result.problems.append(
            f"The audit chain is broken at {len(broken)} entries."
            "\n  -> Run: audiencehub audit verify"
        )
    hub.ledger.runs.finish(hub.run_id, result.state, hub.now, result.summary)
    call("alert", ["maintain"], alert.alert, hub)
    return result
