"""One evaluation: what was seen becomes states and messages, and each channel is told."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import cast

from audiencehub.alerts.channels import Channel
from audiencehub.alerts.states import Level, Observation, State, after
from audiencehub.errors import HubError
from audiencehub.http import HttpRefused, redact
from audiencehub.ledger import Alert, AlertMessage, Ledger

CHANNEL = "channel"
TRIES = 3
"""Evaluations after which a channel that takes nothing is critical."""


@dataclass(slots=True)
class Evaluation:
    """What one evaluation came to."""

    messages: list[int] = field(default_factory=list)
    """Numbers of the messages it made: one for each change."""
    sent: dict[str, int] = field(default_factory=dict)
    """Messages that each channel took."""
    failed: dict[str, str] = field(default_factory=dict)
    """Channels that did not take one, and how."""


def evaluate(
    env: str,
    ledger: Ledger,
    observed: Sequence[Observation],
    kinds: Collection[str],
    channels: Sequence[Channel],
    now: datetime,
    folder: Path,
) -> Evaluation:
    """Judge what was seen, then send what waits.

    A subject of one of `kinds` that was not seen is in order; subjects of other kinds stay as they
    are. States, messages and what waits for whom are one transaction, before anything is sent: a
    crash loses no message, and at worst a channel is told one a second time. A channel that fails
    is a subject itself, told to the others; what it missed is sent with the next evaluation.
    """
    done = Evaluation()
    names = [one.name for one in channels]
    with _alone(folder):
        with ledger.transaction():
            ledger.alerts.forget_channels(env, names)
            ledger.alerts.evaluated(now)
            done.messages += _judge(env, ledger, _whole(env, ledger, observed, kinds), names, now)
        seen = [_deliver(env, ledger, one, now, done) for one in channels]
        with ledger.transaction():
            for one in [*filter(None, seen), *_gone(env, ledger, names)]:
                others = [name for name in names if name != one.name]
                done.messages += _judge(env, ledger, [one], others, now)
        for channel in channels:
            if channel.name not in done.failed:
                _deliver(env, ledger, channel, now, done)
    return done


def _whole(
    env: str, ledger: Ledger, observed: Sequence[Observation], kinds: Collection[str]
) -> list[Observation]:
    seen = {one.subject for one in observed}
    rest = [
        Observation(one.kind, one.subject.partition(":")[2], "ok", "in order again")
        for one in ledger.alerts.states(env).values()
        if one.kind in kinds and one.subject not in seen
    ]
    return [*observed, *rest]


def _gone(env: str, ledger: Ledger, names: Collection[str]) -> list[Observation]:
    """Channels that failed once and are no longer set up."""
    found = [one.subject.partition(":")[2] for one in ledger.alerts.states(env).values()
             if one.kind == CHANNEL]  # fmt: skip
    return [
        Observation(CHANNEL, name, "ok", "no longer set up") for name in found if name not in names
    ]


def _judge(
    env: str,
    ledger: Ledger,
    observed: Sequence[Observation],
    channels: Collection[str],
    now: datetime,
) -> list[int]:
    states = ledger.alerts.states(env)
    made = []
    for one in observed:
        old = states.get(one.subject)
        before = cast("State", old.state) if old else "ok"
        state = after(before, one.level)
        do = redact(one.do) if one.level != "ok" else ""
        alert = Alert(one.subject, one.kind, state, now, redact(one.text), do)
        if state != before:
            made.append(ledger.alerts.change(env, alert, before, channels))
        elif old is not None and one.level != "ok":
            ledger.alerts.reword(env, replace(alert, since=old.since))
    return made


def _deliver(
    env: str, ledger: Ledger, channel: Channel, now: datetime, done: Evaluation
) -> Observation | None:
    """Tell a channel what waits, up to the first message that it does not take; what that says of
    the channel, or None when nothing waited."""
    waiting = ledger.alerts.waiting(env, channel.name)
    for n, message in enumerate(waiting):
        problem = _sent(channel, message)
        if problem:
            done.failed[channel.name] = problem
            tries = ledger.alerts.failed(channel.name, message.n)
            return _failing(channel.name, problem, len(waiting) - n, tries)
        ledger.alerts.sent(channel.name, message.n, now)
        done.sent[channel.name] = done.sent.get(channel.name, 0) + 1
    return Observation(CHANNEL, channel.name, "ok", "takes messages again") if waiting else None


def _sent(channel: Channel, message: AlertMessage) -> str:
    """Why the channel did not take it; empty when it did."""
    try:
        channel.send(message)
    except HttpRefused as error:
        return f"refused with status {error.status}"
    except HubError as error:
        return redact(error.message)
    return ""


def _failing(name: str, problem: str, waiting: int, tries: int) -> Observation:
    level: Level = "critical" if tries >= TRIES else "warning"
    count = f"{waiting:,} message{'s' * (waiting != 1)}"
    return Observation(
        CHANNEL,
        name,
        level,
        f"{count} could not be handed over: {problem.rstrip('.')}",
        f"Check [alerts.{name}] and its secret; what waits is sent with the next evaluation",
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two processes that evaluate at once must not send the same messages."""
    gate = os.open(folder / "alerts.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield
    finally:
        os.close(gate)
