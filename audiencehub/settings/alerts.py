"""`[alerts]`: what is worth a message, and where messages go."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from audiencehub.settings.tables import Strict


def _reference(said: dict[str, str]) -> dict[str, str]:
    if set(said) not in ({"env"}, {"file"}):
        raise ValueError('is no reference; write { env = "NAME" } or { file = "/path" }')
    return said


Reference = Annotated[dict[str, str], AfterValidator(_reference)]
"""Where a secret is found, never the secret: `{ env = "NAME" }` or `{ file = "/path" }`."""

Hours = Annotated[float, Field(gt=0)]


class Webhook(Strict):
    """A receiver of one's own: each message is a JSON document, signed with the key."""

    url: str | Reference
    """A reference where the address itself is a secret: then no log and no error names it."""
    key: Reference
    """The secret of the signature (HMAC-SHA256), which the receiver has too."""


class Slack(Strict):
    """An incoming webhook of Slack; its address is the secret."""

    url: Reference
    digest: bool = False
    """One message after each run in which something happened: who entered and left, what was sent,
    what waits for approval."""


class Alerts(Strict):
    """The limits, and the channels beside the log."""

    stale_hours: Hours = 48
    """A source was last read to its end longer ago: warning; twice as long ago: critical."""
    stale: dict[str, Hours] = Field(default_factory=dict)
    """The same for single sources, by settings name, or streams: `"hubspot/deal" = 72`. Enrichers
    have a limit only here: they are asked when there is something to ask."""
    held_hours: Hours = 24
    """A plan waits for approval longer than this: warning; three times as long: critical."""
    rejects_critical: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Rejects above the guard's `reject_share` are a warning, from this share on critical."""
    expected_runs: bool = True
    """Watch the schedules of prefect.yaml. Off where something else starts the runs."""
    late_minutes: Annotated[float, Field(gt=0)] = 30
    """A run that did not begin so long after its time did not happen."""
    webhook: Webhook | None = None
    slack: Slack | None = None
