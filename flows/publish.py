"""What a person sees of a run on Prefect's pages: plan, result, link to the report; and events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
        moved = {one["plan_id"]: one["segments"] for one in result.summary.get("plans") or []}
        text = plan_text(plans, moved)
        create_markdown_artifact(key="plan", markdown=text, description="The plan")
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
        "rows": plan.writes,
        "API calls, at most": plan.calls,
        "verdict": VERDICTS.get(plan.verdict, plan.verdict),
        "why held": "; ".join(_reasons(plan)) if plan.verdict == "hold" else "",
        "plan": plan.plan_id,
    }


def plan_text(
    plans: list[Plan], moved: Mapping[str, Mapping[str, Sequence[int]]] | None = None
) -> str:
    """The plan as a page: what goes where, what is held and why, how to release it.

    `moved`: plan id to segment to how many enter and leave.
    """
    moved = moved or {}
    lines = [
        "# Plan",
        "",
        "| target | enter | leave | rows | API calls, at most | verdict |",
        "|---|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {p.target} | {p.adds:,} | {p.removes:,} | {p.writes:,} | {p.calls:,} "
        f"| {VERDICTS.get(p.verdict, p.verdict)} |"
        for p in plans
    ]
    for plan in plans:
        if plan.verdict == "hold":
            lines += ["", f"## Held: {plan.target}", ""]
            lines += [f"- {reason}" for reason in _reasons(plan)]
            lines += ["", f'Release it with `audiencehub approve {plan.plan_id} --reason "…"`.']
        lines += _moved(moved.get(plan.plan_id, {}))
        if plan.excluded:
            left_out = ", ".join(f"{count:,} {why}" for why, count in plan.excluded.items())
            lines += ["", f"Left out at {plan.target}: {left_out}."]
    return "\n".join(lines)


def _moved(segments: Mapping[str, Sequence[int]]) -> list[str]:
    """A table of who enters and leaves, segment by segment."""
    if not segments:
        return []
    head = ["", "| segment | enter | leave |", "|---|---:|---:|"]
    return head + [f"| {name} | {came:,} | {went:,} |" for name, (came, went) in segments.items()]


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
    """The guards that hold, each with its segment."""
    return [
        f"{guard['name']}: " + f"{guard['segment']}: " * bool(guard["segment"]) + guard["message"]
        for guard in plan.guards
        if guard["verdict"] != "ok"
    ]
