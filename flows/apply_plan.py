"""The apply_plan flow: push exactly the plans that someone approved."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from audiencehub.hub import Hub
from audiencehub.pipeline import SyncResult, run_apply
from flows.running import run_flow
from flows.tasks import Tasks, guarded


@flow(name="apply_plan", flow_run_name="apply {plan}", persist_result=False, log_prints=False)
def apply_plan(plan: str, env: str = "sandbox") -> State[Any]:
    """Send approved plans; one that is not approved, or no longer holds, is refused.

    Args:
        plan: Plan ids, with commas between them.
        env: Environment: deployments/<env>.toml.
    """
    plans = [part.strip() for part in plan.split(",") if part.strip()]

    def work(hub: Hub) -> SyncResult:
        return guarded(run_apply, hub, plans, Tasks())  # type: ignore[no-any-return]

    return run_flow(env, "apply", work)
