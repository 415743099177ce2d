"""What a person sees of a run on Prefect's pages: plan, result, link to the report; and events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.events import emit_event

from audiencehub.hub import Hub
from audiencehub.ledger.plans import Plan
from audiencehub.pipeline import SyncResult

VERDICTS = {"go": "goes out", "hold": "held", "approved": "approved", "void": "void"}


def publish(hub: Hub, result: SyncResult) -> None:
    """Artifacts `plan`, `plan-table`, `result` and `report`, and an event for each held plan.

    Counts, names of segments and targets only: nobody's data.
    """
    plans = [plan for plan_id in _plan_ids(result) if (plan := hub.ledger.plans.get(plan_id))]
    if plans:
        create_markdown_artifact(key="plan", markdown=plan_text(plans), description="The plan")
        create_table_artifact(
            key="plan-table", table=list(map(plan_row, plans)), description="The plan"
        )
    rows = list(result_rows(result.summary))
    if rows:
        create_table_artifact(key="result", table=rows, description="What came of it")
    if result.report:
        address = Path(result.report).resolve().as_uri()
        create_link_artifact(key="report", link=address, link_text="The report of this run")
    for plan in plans:
        if plan.plan_id in result.held:
            announce("audiencehub.plan.held", hub, plan)


def announce(event: str, hub: Hub, plan: Plan) -> None:
    """Emit an event about a plan; automations react to it."""
    payload = {
        "env": hub.settings.env,
        "plan": plan.plan_id,
        "target": plan.target,
        "adds": plan.adds,
        "removes": plan.removes,
        "sets": plan.sets,
    }
    resource = {
        "prefect.resource.id": f"audiencehub.plan.{plan.plan_id}",
        "prefect.resource.name": f"plan for {plan.target}",
    }
    emit_event(event=event, resource=resource, payload=payload)


def plan_row(plan: Plan) -> dict[str, Any]:
    """One line of the plan's table."""
    return {
        "target": plan.target,
        "what": "consent and erasure" if plan.kind == "consent" else "changes",
        "adds": plan.adds,
        "removes": plan.removes,
        "sets": plan.sets,
        "API calls": plan.calls,
        "verdict": VERDICTS.get(plan.verdict, plan.verdict),
        "why held": "; ".join(_reasons(plan)) if plan.verdict == "hold" else "",
        "plan": plan.plan_id,
    }


def plan_text(plans: list[Plan]) -> str:
    """The plan as a page: what goes where, what is held and why, how to release it."""
    lines = [
        "# Plan",
        "",
        "| target | adds | removes | sets | API calls | verdict |",
        "|---|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {p.target} | {p.adds:,} | {p.removes:,} | {p.sets:,} | {p.calls:,} "
        f"| {VERDICTS.get(p.verdict, p.verdict)} |"
        for p in plans
    ]
    for plan in plans:
        if plan.verdict == "hold":
            lines += ["", f"## Held: {plan.target}", ""]
            lines += [f"- {reason}" for reason in _reasons(plan)]
            lines += ["", f'Release it with `audiencehub approve {plan.plan_id} --reason "…"`.']
        if plan.excluded:
            left_out = ", ".join(f"{count:,} {why}" for why, count in plan.excluded.items())
            lines += ["", f"Left out at {plan.target}: {left_out}."]
    return "\n".join(lines)


def result_rows(summary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What came in per source, and what went out per target, a row each."""
    for name, source in (summary.get("sources") or {}).items():
        state = "incomplete" if source.get("incomplete") else "complete"
        yield {"what": "pulled", "name": name, "outcome": state, "rows": source.get("rows", 0)}
    for pushed in summary.get("pushed") or []:
        target = pushed.get("target", "")
        for outcome, count in pushed.items():
            if isinstance(count, int) and not isinstance(count, bool) and count:
                yield {"what": "pushed", "name": target, "outcome": outcome, "rows": count}


def _plan_ids(result: SyncResult) -> list[str]:
    named = [str(one.get("plan_id")) for one in result.summary.get("plans") or []]
    return list(dict.fromkeys([*named, *result.held]))


def _reasons(plan: Plan) -> list[str]:
    return [
        str(guard.get("message") or guard.get("why") or guard.get("name") or guard)
        for guard in plan.guards
    ]
