"""The machine: one message per change and none while it stays, whatever is seen when."""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta
from types import SimpleNamespace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiencehub.alerts import Observation, after, evaluate
from audiencehub.errors import Wait
from audiencehub.ledger import Ledger, db, schema
from audiencehub.ledger.schema import ALERTS

LEVELS = st.sampled_from(["ok", "warning", "critical"])


class Told:
    """A channel that keeps what it is told, and fails when it is told to."""

    def __init__(self, name="told", fails=()):
        self.name, self.got, self._fails = name, [], iter(fails)

    def send(self, message):
        if next(self._fails, False):
            raise Wait("no connection.", hint="Run again later")
        self.got.append(message)


def see(level, name="hubspot"):
    return Observation("source", name, level, f"it is {level}", "Do something")


def run(ledger, folder, now, history, *channels):
    for hour, observed in enumerate(history):
        evaluate(
            "prod", ledger, observed, ["source"], channels, now + timedelta(hours=hour), folder
        )


def told(channel, name="hubspot"):
    return [(m.before, m.state) for m in channel.got if m.subject == f"source:{name}"]


def test_the_table_of_changes():
    """A state that follows wrongly makes a message too many, or none when it burns."""
    states, levels = ("ok", "warning", "critical", "recovered"), ("ok", "warning", "critical")
    assert {(s, v): after(s, v) for s, v in itertools.product(states, levels)} == {
        ("ok", "ok"): "ok", ("ok", "warning"): "warning", ("ok", "critical"): "critical",
        ("warning", "ok"): "recovered", ("warning", "warning"): "warning",
        ("warning", "critical"): "critical", ("critical", "ok"): "recovered",
        ("critical", "warning"): "warning", ("critical", "critical"): "critical",
        ("recovered", "ok"): "recovered", ("recovered", "warning"): "warning",
        ("recovered", "critical"): "critical",
    }  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), LEVELS), max_size=12),
    st.lists(st.booleans(), max_size=20),
)
def test_any_history_gives_one_message_per_change(tmp_path_factory, now, history, fails):
    """A message too many is soon filtered away, one too few is an outage that nobody saw; also a
    channel that fails at any time gets each change once and in order, and costs the others none."""
    folder = tmp_path_factory.mktemp("alerts")
    ledger = Ledger.open(folder)
    steady, shaky = Told("steady"), Told("shaky", fails)
    seen = [[see(level, name) for name, level in turn.items()] for turn in history]

    run(ledger, folder, now, [*seen, *([seen[-1]] * 25 if seen else [])], steady, shaky)

    expected = {name: [] for name in "abc"}
    for name, changes in expected.items():
        state = "ok"
        for turn in history:
            new = after(state, turn.get(name, "ok"))
            if new != state:
                changes.append((state, new))
            state = new
    for name, changes in expected.items():
        assert told(steady, name) == changes
        assert told(shaky, name) == changes
    assert [m.n for m in shaky.got] == sorted({m.n for m in shaky.got})
    own = [m.state for m in steady.got if m.subject == "channel:shaky"]
    assert all(a != b for a, b in itertools.pairwise(own))
    assert own[-1:] in ([], ["recovered"])
    assert [m for m in shaky.got if m.subject.startswith("channel:")] == []
    ledger.close()


def test_what_was_not_looked_at_stays_as_it_is(ledger, environment, now):
    """A file of schedules that cannot be read must not end an alert about a missed run."""
    channel, folder = Told(), environment().folder
    missed = Observation("run", "nightly", "critical", "did not happen")
    evaluate("prod", ledger, [missed], ["run", "source"], [channel], now, folder)

    evaluate("prod", ledger, [], ["source"], [channel], now, folder)
    assert ledger.alerts.states("prod")["run:nightly"].state == "critical"
    evaluate("prod", ledger, [], ["run"], [channel], now, folder)

    assert [m.state for m in channel.got] == ["critical", "recovered"]


def test_newer_counts_are_kept_and_nobody_is_told(ledger, environment, now):
    """The list must say how it is today; since when must stay what it was."""
    channel, folder = Told(), environment().folder
    for hour, text in enumerate(("1 of 4", "3 of 4")):
        one = Observation("source", "hubspot", "warning", text)
        at = now + timedelta(hours=hour)
        evaluate("prod", ledger, [one], ["source"], [channel], at, folder)

    kept = ledger.alerts.states("prod")["source:hubspot"]
    assert (kept.text, kept.since, len(channel.got)) == ("3 of 4", now, 1)


def test_what_recovered_asks_nothing_of_anybody(ledger, environment, now):
    """An instruction beside good news sends people to mend what is whole."""
    channel = Told("log")
    run(ledger, environment().folder, now, [[see("warning")], [see("ok")]], channel)

    assert [(m.state, m.do) for m in channel.got] == [
        ("warning", "Do something"), ("recovered", ""),
    ]  # fmt: skip
    assert ledger.alerts.states("prod")["source:hubspot"].do == ""


def test_a_crash_before_sending_loses_no_message(ledger, environment, now):
    """The state is noted first: without its message it would stay bad in silence for ever."""

    def dies(_):
        raise KeyboardInterrupt

    folder, channel = environment().folder, Told("log")
    try:
        crash = SimpleNamespace(name="log", send=dies)
        evaluate("prod", ledger, [see("critical")], ["source"], [crash], now, folder)
    except KeyboardInterrupt:
        pass
    evaluate("prod", ledger, [see("critical")], ["source"], [channel], now, folder)

    assert told(channel) == [("ok", "critical")]


def test_a_channel_that_stays_dead_becomes_critical_elsewhere(ledger, environment, now):
    """Nobody notices a silent channel; the others must say so, and louder in time."""
    steady, dead = Told("log"), Told("slack", [True] * 99)

    run(ledger, environment().folder, now, [[see("warning")]] * 6, steady, dead)

    assert [(m.subject, m.state) for m in steady.got] == [
        ("source:hubspot", "warning"), ("channel:slack", "warning"), ("channel:slack", "critical"),
    ]  # fmt: skip


def test_a_channel_that_is_taken_off_owes_nothing(ledger, environment, now):
    """What waited for it would be told years later, when it is set up again."""
    steady, dead = Told("log"), Told("slack", [True])
    folder = environment().folder
    run(ledger, folder, now, [[see("warning")]], steady, dead)
    run(ledger, folder, now, [[see("warning")]], steady)

    run(ledger, folder, now, [[see("warning")]], steady, dead)

    assert dead.got == []
    assert ledger.alerts.states("prod")["channel:slack"].state == "recovered"


def test_two_that_evaluate_at_once_make_one_message(ledger, environment, now):
    """A cron line beside a sync must not wake everybody twice."""
    channel, folder = Told("log"), environment().folder
    start = threading.Barrier(4)

    def work():
        own = Ledger.open(folder)
        start.wait()
        evaluate("prod", own, [see("critical")], ["source"], [channel], now, folder)
        own.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert told(channel) == [("ok", "critical")]


def test_an_older_ledger_learns_of_alerts(tmp_path, monkeypatch, now):
    """Everybody who has run the hub before has a ledger without these tables."""
    monkeypatch.setattr(db, "MIGRATIONS", schema.MIGRATIONS[: schema.MIGRATIONS.index(ALERTS)])
    old = Ledger.open(tmp_path)
    old.audit.record(now, "ann", "approve", "p1", {})
    old.close()
    monkeypatch.undo()

    ledger = Ledger.open(tmp_path)
    channel = Told("log")
    run(ledger, tmp_path, now, [[see("warning")]], channel)

    assert told(channel) == [("ok", "warning")]
    assert ledger.audit.check().rows == 1
    ledger.close()
