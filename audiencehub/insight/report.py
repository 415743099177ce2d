"""The HTML report of one run: one self-contained file that a RevOps person can open and pass on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from audiencehub.rules import RuleBook
from audiencehub.settings import Settings

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
) -> Path:
    """Render the report into `folder`, also as `latest.html`; returns the run's own file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    page = _template().render(
        company=settings.company.name,
        env=settings.env,
        run_id=run_id,
        at=at.astimezone(settings.zone),
        zone=settings.company.timezone,
        state=state,
        state_text=STATES.get(state, state),
        sources=summary.get("sources", {}),
        normalize=summary.get("normalize", {}),
        resolve=summary.get("resolve", {}),
        segments=_segments(summary, book),
        plans=summary.get("plans", []),
        pushed={one["target"]: one for one in summary.get("pushed", [])},
        problems=summary.get("problems", []),
    )
    path = folder / f"{at:%Y%m%dT%H%M%S}-{run_id}.html"
    for name in (path, folder / "latest.html"):
        draft = name.with_suffix(".tmp")
        draft.write_text(page, "utf-8")
        draft.chmod(0o600)
        draft.rename(name)
    return path


def _template() -> Any:
    loader = PackageLoader("audiencehub.insight")
    env = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    env.filters["n"] = lambda number: f"{number:,}"
    env.filters["percent"] = lambda share: f"{share:.1%}"
    return env.get_template("report.html")


def _segments(summary: Mapping[str, Any], book: RuleBook) -> list[dict[str, Any]]:
    found = summary.get("segment", {})
    rows = []
    for name, size in sorted(found.get("sizes", {}).items(), key=lambda item: -item[1]):
        rule = book.segments.get(name)
        entity = rule.of if rule else "contact"
        total = found.get("totals", {}).get(entity, 0)
        rows.append(
            {
                "id": name,
                "label": rule.label if rule else name,
                "model": rule.model if rule else "",
                "goal": rule.goal if rule else "",
                "entity": entity,
                "size": size,
                "share": size / total if total else 0,
                "entered": found.get("entered", {}).get(name, 0),
                "left": found.get("left", {}).get(name, 0),
            }
        )
    return rows
