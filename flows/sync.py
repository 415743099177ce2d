"""The sync flow: pull, land, normalize, resolve, segment, plan, push, record."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from audiencehub.hub import Hub
from audiencehub.pipeline import SyncOptions, SyncResult, run_sync
from flows.running import run_flow
from flows.tasks import Tasks, guarded


def _name() -> str:
    given = flow_run.parameters
    words = ["full" if given.get("full") else "", "dry run" if given.get("dry_run") else "sync"]
    return " ".join([*filter(None, words), str(given.get("env", ""))])


@flow(name="sync", flow_run_name=_name, persist_result=False, log_prints=False)
def sync(
    env: str = "sandbox",
    only: list[str] | None = None,
    full: bool = False,
    as_of: str | None = None,
    dry_run: bool = False,
) -> State[Any]:
    """Bring every destination to what the rules say of today's data.

    Args:
        env: Environment: deployments/<env>.toml.
        only: Settings entries to pull from and push to; empty: all.
        full: Pull everything instead of what changed; evaluate everyone after what changed, and
            fail where the two differ (the full answer is used).
        as_of: The run's clock, a date or an instant (sandbox and dry run only).
        dry_run: Plan, and send nothing.
    """
    options = SyncOptions(only=tuple(only or ()), full=full, dry_run=dry_run)

    def work(hub: Hub) -> SyncResult:
        return guarded(run_sync, hub, options, Tasks())  # type: ignore[no-any-return]

    asked = {"full": full, "only": options.only}
    return run_flow(env, "sync", work, as_of=as_of, dry_run=dry_run, args=asked)
