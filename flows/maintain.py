"""The maintain flow: what keeps the stores in order between runs."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from audiencehub import maintenance
from audiencehub.hub import Hub
from audiencehub.pipeline import Caller, SyncResult
from flows.running import run_flow
from flows.tasks import Tasks, guarded


@flow(name="maintain", flow_run_name="maintain {env}", persist_result=False, log_prints=False)
def maintain(env: str = "sandbox") -> State[Any]:
    """Back the ledger up, let go what is too old, sweep, and check that the audit chain is whole.

    Args:
        env: Environment: deployments/<env>.toml.
    """

    def work(hub: Hub) -> SyncResult:
        return guarded(keep, hub, Tasks())  # type: ignore[no-any-return]

    return run_flow(env, "maintain", work)


def keep(hub: Hub, call: Caller) -> SyncResult:
    """The steps. The result is failed when the chain is broken."""
    return maintenance.maintain(hub, call)[0]
