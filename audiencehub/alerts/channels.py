"""Where messages go: the log always, a webhook and Slack where they are set up."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from audiencehub.http import HttpClient, Policy, hidden, hide, origin_of, signature, slack_text
from audiencehub.ledger import AlertMessage
from audiencehub.settings import Settings, secret

PATIENCE = Policy(attempts=2, connect=5, read=10, reply=15, deadline=20)
"""A channel that hangs must not hold up a run: what it misses is sent with the next evaluation."""

log = logging.getLogger("audiencehub.alerts")

LEVELS: Mapping[str, int] = {"critical": logging.ERROR}


class Channel(Protocol):
    """One place that is told of every change."""

    @property
    def name(self) -> str:
        """The key of its deliveries."""

    def send(self, message: AlertMessage) -> None:
        """Hand one message over. Raises a HubError when it was not taken, or may not have been."""


class Log:
    """The log of the process, logger `audiencehub.alerts`: critical as error, else as warning."""

    name = "log"

    def send(self, message: AlertMessage) -> None:
        """One line."""
        log.log(LEVELS.get(message.state, logging.WARNING), "%s", line(message))


class WebhookChannel:
    """A POST of JSON to a receiver of one's own.

    `Idempotency-Key` is the same whenever a message is sent again, and so is the body;
    `X-Audiencehub-Signature` is `sha256=` and the lower-case hex HMAC-SHA256 of the body's bytes.
    """

    name = "webhook"

    def __init__(self, settings: Settings, ledger_id: str) -> None:
        self._settings, self._ledger = settings, ledger_id

    def send(self, message: AlertMessage) -> None:
        """Raises ConfigError for a secret that is not there, and what the HTTP client raises."""
        options = _options(self._settings, self.name)
        resolve = secret(self._settings, "alerts.webhook", options)
        url = options["url"] if isinstance(options["url"], str) else hidden(resolve("url"))
        key = hide(resolve("key"))
        number = f"{self._ledger}-{message.n}"
        body = json.dumps(document(message, number), sort_keys=True).encode()
        signed = {"Idempotency-Key": number, "X-Audiencehub-Signature": signature(key, body)}
        _post(url, body, signed)


class SlackChannel:
    """An incoming webhook of Slack: JSON with `text`, failures are HTTP statuses
    (docs.slack.dev, Sending messages using incoming webhooks).

    It knows no idempotency: a message whose answer was lost comes twice rather than never.
    """

    name = "slack"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, message: AlertMessage) -> None:
        """One line. Raises as `say` does."""
        self.say(line(message))

    def say(self, text: str) -> None:
        """Raises ConfigError for a secret that is not there, and what the HTTP client raises."""
        options = _options(self._settings, self.name)
        url = hidden(secret(self._settings, "alerts.slack", options)("url"))
        _post(url, json.dumps({"text": slack_text(text)}).encode(), {})


def open_channels(settings: Settings, ledger_id: str) -> list[Channel]:
    """The log, and what `[alerts]` sets up; nobody is called yet."""
    channels: list[Channel] = [Log()]
    if settings.alerts.webhook is not None:
        channels.append(WebhookChannel(settings, ledger_id))
    if settings.alerts.slack is not None:
        channels.append(SlackChannel(settings))
    return channels


def line(message: AlertMessage) -> str:
    """The message as people read it."""
    did = f" -> {message.do}" if message.do else ""
    return f"[{message.env}] {message.state}: {message.subject}: {message.text}.{did}"


def document(message: AlertMessage, number: str) -> dict[str, Any]:
    """The message as programs read it; `at` is ISO 8601, UTC."""
    return {
        "id": number,
        "environment": message.env,
        "subject": message.subject,
        "before": message.before,
        "state": message.state,
        "text": message.text,
        "do": message.do,
        "at": message.at.isoformat(),
    }


def _options(settings: Settings, name: str) -> Mapping[str, Any]:
    found = getattr(settings.alerts, name)
    options: dict[str, Any] = found.model_dump()
    return options


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    client = HttpClient(origin_of(url, "[alerts] url"), policy=PATIENCE)
    sent = {"Content-Type": "application/json; charset=utf-8", **headers}
    client.post(url, data=body, headers=sent, writes=True)
