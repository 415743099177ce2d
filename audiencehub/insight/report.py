"""The HTML report of one run: one self-contained file that a RevOps person can open and pass on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from audiencehub.insight.lists import lists
from audiencehub.insight.shelves import Shelf, shelves
from audiencehub.insight.stages import Flow, flow
from audiencehub.ledger import Ledger
from audiencehub.rules import RuleBook
from audiencehub.rules.language.trait import Ladder
from audiencehub.settings import Settings

QUIET = "This run planned nothing and sent nothing."
STRETCH = timedelta(days=90)
"""Over which moves between the rungs of a ladder are counted."""

STATES = {
    "completed": "Everything planned was delivered.",
    "held": "Some plans wait for approval; nothing of them was sent.",
    "incomplete": "A source could not be read to its end; nothing was removed because of it.",
    "failed": "Something needs a person; see the problems below.",
}


def write(
    folder: Path,
    run_id: str,
    state: str,
    summary: Mapping[str, Any],
    book: RuleBook,
    settings: Settings,
    at: datetime,
    ledger: Ledger,
) -> Path:
    """Render the report into `folder`, also as `latest.html`; returns the run's own file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = summary.get("segment", {})
    sent = {one["plan_id"]: one for one in _sent(summary.get("pushed", []))}
    planned = {one["plan_id"] for one in summary.get("plans", [])}
    page = _template().render(
        company=settings.company.name,
        env=settings.env,
        run_id=run_id,
        at=at.astimezone(settings.zone),
        zone=settings.company.timezone,
        state=state,
        state_text=_state_text(state, summary, sent.values()),
        sources=summary.get("sources", {}),
        normalize=summary.get("normalize", {}),
        resolve=summary.get("resolve", {}),
        shelves=[
            _shelf(one, found, book, ledger, at) for one in shelves(found.get("sizes", {}), book)
        ],
        segments=len(found.get("sizes", {})),
        rules=len(book.segments),
        moved={name: sum(found.get(name, {}).values()) for name in ("entered", "left")},
        models=found.get("models", ()),
        stretch=STRETCH.days,
        plans=summary.get("plans", []),
        sent=sent,
        applied=[one for one in sent.values() if one["plan_id"] not in planned],
        lists=lists(ledger, at),
        problems=summary.get("problems", []),
    )
    path = folder / f"{at:%Y%m%dT%H%M%S}-{run_id}.html"
    for name in (path, folder / "latest.html"):
        draft = name.with_suffix(".tmp")
        draft.write_text(page, "utf-8")
        draft.chmod(0o600)
        draft.rename(name)
    return path


def _state_text(state: str, summary: Mapping[str, Any], sent: Iterable[Mapping[str, Any]]) -> str:
    if state != "completed":
        return STATES.get(state, state)
    if not ("plans" in summary or summary.get("pushed")):
        return QUIET
    short = sum(one["refused"] + one["unsettled"] for one in sent)
    return (
        f"Delivered, but for {short:,} row{'s' * (short != 1)}; see the outcomes below."
        if short
        else STATES[state]
    )


def _sent(pushed: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each plan with what became of its rows; hand edits are told with its target's last plan."""
    for one in pushed:
        for place, (plan_id, verdicts) in enumerate(one["plans"].items(), 1):
            found = Counter(verdicts)
            yield {
                "plan_id": plan_id,
                "target": one["target"],
                "confirmed": found["confirmed"],
                "refused": found["rejected"] + found["quarantined"],
                "unsettled": found["unknown"] + found["sent"],
                "drifted": one["drifted"] if place == len(one["plans"]) else 0,
            }


def _template() -> Any:
    loader = PackageLoader("audiencehub.insight")
    env = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    env.filters["n"] = lambda number: f"{number:,}"
    env.filters["percent"] = lambda share: f"{share:.1%}"
    env.filters["days"] = lambda days: "under 1" if days < 1 else f"{days:,.0f}"
    return env.get_template("report.html")


def _shelf(
    shelf: Shelf, found: Mapping[str, Any], book: RuleBook, ledger: Ledger, at: datetime
) -> dict[str, Any]:
    """Segments that stand together, and for a ladder the moves between them."""
    rows = [_segment(name, found, book) for name in shelf.names]
    ladder = shelf.ladder
    if ladder is not None:
        told = flow(ledger, ladder, at - STRETCH)
        rows = [row | _moves(row["id"], ladder, told) for row in rows]
    actions = Counter(row["action"] for row in rows)
    shared = [one for one, count in actions.items() if one and count > 1]
    return {"title": shelf.title, "ladder": ladder, "rows": rows, "shared": shared}


def _moves(segment: str, ladder: Ladder, told: Flow) -> dict[str, Any]:
    """How long a rung was stood on, and where those who left it went, the most first."""
    labels = {one.id: one.label for one in ladder.rungs}
    rung = next(one.id for one in ladder.rungs if one.segment == segment)
    went = {into: count for (out, into), count in told.moves.items() if out == rung}
    total = sum(went.values())
    ordered = sorted(went.items(), key=lambda item: (-item[1], item[0]))
    return {
        "days": told.days.get(rung),
        "went": [(labels[into], count, count / total) for into, count in ordered],
    }


def _segment(name: str, found: Mapping[str, Any], book: RuleBook) -> dict[str, Any]:
    rule = book.segments.get(name)
    entity, size = rule.of if rule else "contact", found["sizes"][name]
    total = found.get("totals", {}).get(entity, 0)
    return {
        "id": name,
        "label": rule.label if rule else name,
        "model": rule.model if rule else "",
        "goal": rule.goal if rule else "",
        "action": rule.action if rule else "",
        "owner": rule.owner if rule else "",
        "kpis": rule.kpis if rule else (),
        "entity": entity,
        "size": size,
        "share": size / total if total else 0,
        "entered": found.get("entered", {}).get(name, 0),
        "left": found.get("left", {}).get(name, 0),
    }
