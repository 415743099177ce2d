"""Alerts: ok, warning, critical, recovered; one message per change, none while it stays."""

from audiencehub.alerts.channels import Channel, Log, SlackChannel, WebhookChannel, open_channels
from audiencehub.alerts.digest import digest
from audiencehub.alerts.evaluate import Evaluation, evaluate
from audiencehub.alerts.states import Level, Observation, State, after
from audiencehub.alerts.watch import (
    Due,
    audit,
    evaluations,
    lists,
    plans,
    rejects,
    runs,
    sources,
)

__all__ = [
    "Channel",
    "Due",
    "Evaluation",
    "Level",
    "Log",
    "Observation",
    "SlackChannel",
    "State",
    "WebhookChannel",
    "after",
    "audit",
    "digest",
    "evaluate",
    "evaluations",
    "lists",
    "open_channels",
    "plans",
    "rejects",
    "runs",
    "sources",
]
