"""Settings of one environment: `deployments/<env>.toml` plus the process environment.

Secrets are references, never values: `token = { env = "HUBSPOT_TOKEN" }` or
`token = { file = "/run/secrets/hubspot" }`.
"""

from audiencehub.settings.alerts import Alerts, Slack, Webhook
from audiencehub.settings.read import find_root, line_of, load
from audiencehub.settings.tables import (
    VALUES_PER_PROFILE,
    Audit,
    AuditLimits,
    Company,
    DestinationEntry,
    Guards,
    Identity,
    Sandbox,
    SegmentEntry,
    SegmentGuards,
    SourceEntry,
    Strict,
    TargetEntry,
    TargetGuards,
)
from audiencehub.settings.values import instant, secret
from audiencehub.settings.whole import Settings

__all__ = [
    "VALUES_PER_PROFILE",
    "Alerts",
    "Audit",
    "AuditLimits",
    "Company",
    "DestinationEntry",
    "Guards",
    "Identity",
    "Sandbox",
    "SegmentEntry",
    "SegmentGuards",
    "Settings",
    "Slack",
    "SourceEntry",
    "Strict",
    "TargetEntry",
    "TargetGuards",
    "Webhook",
    "find_root",
    "instant",
    "line_of",
    "load",
    "secret",
]
