"""Alert: look at everything that is watched, and tell every change once; the digest of the run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audiencehub import alerts
from audiencehub.alerts import Due, Evaluation, Observation
from audiencehub.delivery import guards
from audiencehub.errors import HubError
from audiencehub.hub import Hub
from audiencehub.ledger import Ledger
from audiencehub.server.home import project_environment
from audiencehub.server.prefect_yaml import FILE, read
from audiencehub.server.schedules import past
from audiencehub.settings import Settings

KINDS = ("source", "plan", "rejects", "audit", "evaluation", "list")

log = logging.getLogger(__name__)


def alert(hub: Hub) -> Evaluation | None:
    """Evaluate at the end of a run; a dry run has nothing to tell.

    Never raises what it foresees: a run whose work is done does not fail for a message about it.
    """
    if hub.dry_run:
        return None
    try:
        return evaluate(hub.settings, hub.ledger, hub.now)
    except HubError as error:
        log.error("alerts could not be evaluated: %s", error)
        return None


def digest(hub: Hub, state: str, summary: Mapping[str, Any]) -> bool:
    """Tell Slack of the run, once, where `[alerts.slack]` asks for it; whether it took it.

    It is not sent again: what it tells stands in the report, and a second one could be taken for
    a second run. Never raises what it foresees.
    """
    slack = hub.settings.alerts.slack
    if hub.dry_run or slack is None or not slack.digest:
        return False
    labels = {name: one.label for name, one in hub.rules.segments.items()}
    text = alerts.digest(hub.settings.env, state, hub.now, summary, labels)
    if not text:
        return False
    try:
        alerts.SlackChannel(hub.settings).say(text)
    except HubError as error:
        log.error("Slack did not take the digest of the run: %s", error)
        return False
    return True


def evaluate(settings: Settings, ledger: Ledger, now: datetime) -> Evaluation:
    """Look, note every change with its message, and send what waits."""
    kinds = list(KINDS)
    observed = [
        *alerts.sources(settings, ledger, now),
        *alerts.plans(settings, ledger, now),
        *alerts.rejects(settings, ledger, lambda target, of: _limit(settings, target, of)),
        *alerts.audit(ledger),
        *alerts.evaluations(ledger),
        *alerts.lists(ledger),
    ]
    expected = _expected(settings, ledger, now)
    if expected is not None:
        kinds.append("run")
        observed += expected
    channels = alerts.open_channels(settings, ledger.id)
    return alerts.evaluate(settings.env, ledger, observed, kinds, channels, now, settings.folder)


def _limit(settings: Settings, target: str, of: int) -> float:
    """Rejected rows above which the guard holds the target's next plan."""
    return guards.rejects(settings.guards_of(target), 0, of).limit


def _expected(settings: Settings, ledger: Ledger, now: datetime) -> list[Observation] | None:
    """Runs by the schedules of prefect.yaml; None where nobody can say.

    The sandbox's clock stands still between runs, and no schedule follows it.
    """
    path = settings.root / FILE
    if not settings.alerts.expected_runs or settings.clock == "sandbox" or not path.is_file():
        return None
    document, faults = read(settings.root, project_environment(settings))
    if document is None or faults:
        said = f"{len(faults)} faults in {FILE}: its schedules are not watched"
        return [Observation("run", FILE, "warning", said, "Run audiencehub check")]
    dues = [
        Due(
            f"{one.deployment}/{one.slug}",
            one.flow,
            bool(one.parameters.get("full")),
            tuple(one.parameters.get("only") or ()),
            one.times,
        )
        for one in past(document, now, settings.alerts.late_minutes * 60)
    ]
    return alerts.runs(ledger, dues, now)
