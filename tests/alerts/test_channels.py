"""Channels against a real receiver on loopback."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import socket
from datetime import timedelta

import pytest

from audiencehub.alerts import Observation, evaluate, open_channels
from audiencehub.http import redact

KEY = "a-key-that-both-sides-have"
PATH = "/services/T0000/B0000/very-secret-part"
HOOK = '[alerts.webhook]\nurl = "{}/hook"\nkey = {{ env = "HOOK_KEY" }}\n'
SLACK = '[alerts.slack]\nurl = {{ env = "SLACK_URL" }}\n'


@pytest.fixture
def secrets(sink, monkeypatch):
    monkeypatch.setenv("HOOK_KEY", KEY)
    monkeypatch.setenv("SLACK_URL", f"{sink.url}{PATH}")


@pytest.fixture
def tell(environment, ledger, now, sink, secrets):
    """`tell(level, …)`: one evaluation after the other, each an hour later."""
    settings = environment(HOOK.format(sink.url) + SLACK.format())
    hours = iter(range(99))

    def one(level):
        seen = [Observation("source", "hubspot", level, "1 of 4 streams <cut> & late", "Run sync")]
        channels = open_channels(settings, ledger.id)
        at = now + timedelta(hours=next(hours))
        return evaluate("prod", ledger, seen, ["source"], channels, at, settings.folder)

    return one


def test_every_channel_is_told_each_change_once(tell, sink, caplog):
    """A page that comes twice wakes somebody twice; one that does not come wakes nobody."""
    with caplog.at_level(logging.INFO, "audiencehub.alerts"):
        for level in ("ok", "warning", "warning", "critical", "critical", "ok", "ok"):
            tell(level)

    assert [one["state"] for one in sink.said()] == ["warning", "critical", "recovered"]
    assert len(sink.of("/services")) == 3
    assert [r.levelname for r in caplog.records] == ["WARNING", "ERROR", "WARNING"]


def test_the_webhook_is_signed_and_numbered(tell, sink, ledger):
    """A receiver must be able to refuse a forger, and to know a message that comes again."""
    tell("critical")
    (_, headers, body), = sink.of("/hook")  # fmt: skip

    signature = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Audiencehub-Signature"] == f"sha256={signature}"
    assert headers["Idempotency-Key"] == f"{ledger.id}-1"
    assert json.loads(body) == {
        "id": f"{ledger.id}-1", "environment": "prod", "subject": "source:hubspot",
        "before": "ok", "state": "critical", "text": "1 of 4 streams <cut> & late",
        "do": "Run sync", "at": "2026-11-16T09:00:00+00:00",
    }  # fmt: skip


def test_slack_gets_text_that_it_does_not_take_for_markup(tell, sink):
    """Slack reads <, > and & as its own signs; a message would lose words."""
    tell("warning")
    (_, _, body), = sink.of(PATH)  # fmt: skip

    assert json.loads(body) == {
        "text": "[prod] warning: source:hubspot: 1 of 4 streams &lt;cut&gt; &amp; late. "
        "-&gt; Run sync"
    }


@pytest.mark.parametrize("status", [0, 403, 404, 410, 500, 503])
def test_a_channel_that_fails_is_reported_and_catches_up(tell, sink, status):
    """Whatever the webhook answers, Slack must hear each change once and of the webhook's failure,
    and the webhook must have the very same message with the next evaluation."""
    sink.answers = [status]
    first = tell("warning")
    # The webhook comes before Slack, so that its first message met the answer above.
    second = tell("warning")

    assert set(first.failed) == {"webhook"}
    assert second.failed == {}
    tries = sink.of("/hook")
    assert len(tries) == 2
    assert tries[0][2] == tries[1][2]
    assert tries[0][1]["Idempotency-Key"] == tries[1][1]["Idempotency-Key"]
    texts = [json.loads(body)["text"] for _, _, body in sink.of(PATH)]
    assert [" ".join(text.split(" ")[1:3]) for text in texts] == [
        "warning: source:hubspot:", "warning: channel:webhook:", "recovered: channel:webhook:",
    ]  # fmt: skip


def test_a_missing_secret_fails_its_channel_alone(
    environment, ledger, now, sink, monkeypatch, secrets, caplog
):
    """A forgotten variable must neither end a run nor keep the others silent."""
    monkeypatch.delenv("SLACK_URL")
    settings = environment(HOOK.format(sink.url) + SLACK.format())
    seen = [Observation("audit", "", "critical", "broken")]

    channels = open_channels(settings, ledger.id)
    done = evaluate("prod", ledger, seen, ["audit"], channels, now, settings.folder)

    assert set(done.failed) == {"slack"}
    assert [one["subject"] for one in sink.said()] == ["audit", "channel:slack"]
    assert "SLACK_URL" in sink.said()[1]["text"]


def test_a_secret_address_is_never_said(environment, ledger, now, monkeypatch, caplog):
    """Whoever has Slack's address can write to the channel; logs are read by many."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    monkeypatch.setenv("SLACK_URL", f"http://127.0.0.1:{closed}{PATH}")
    settings = environment(SLACK.format())
    seen = [Observation("audit", "", "critical", "broken")]

    with caplog.at_level(logging.DEBUG):
        channels = open_channels(settings, ledger.id)
        done = evaluate("prod", ledger, seen, ["audit"], channels, now, settings.folder)

    assert set(done.failed) == {"slack"}
    alerts = " ".join(one.text for one in ledger.alerts.states("prod").values())
    assert "very-secret-part" not in redact(caplog.text) + alerts + str(done.failed)
    assert "very-secret-part" not in caplog.text


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ('[alerts.slack]\nurl = "https://hooks.example/T/B/x"\n', "alerts.slack.url"),
        ('[alerts.webhook]\nurl = "https://a.example"\nkey = "written-out"\n', "webhook.key"),
        ("[alerts]\nstale_hour = 3\n", "stale_hour is not a setting"),
        ("[alerts.stale]\nhubspto = 3\n", "did you mean hubspot"),
        ("[alerts]\nheld_hours = 0\n", "held_hours"),
    ],
)
def test_wrong_settings_are_refused_and_secrets_not_repeated(environment, more, what):
    """A secret written out ends up in version control; a misspelt limit limits nothing."""
    from audiencehub.errors import Faults

    with pytest.raises(Faults) as refused:
        environment(more)

    assert what in str(refused.value)
    assert "written-out" not in str(refused.value)
    assert "T/B/x" not in str(refused.value)
