"""Digests: what a channel reads, what it never reads, and what stops."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
import requests
from pydantic import ValidationError

from audiencehub import connector
from audiencehub.connector import Context
from audiencehub.errors import OutcomeUnknown, Stop
from audiencehub.http import MachineClock, redact
from audiencehub.model import Change, Target
from audiencehub.privacy import PLATFORMS, Identifier, identify
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.faults import Fault
from audiencehub.sandbox.host import serve
from audiencehub.sandbox.store import Store
from connectors.slack.destination import Slack
from connectors.slack.options import Options
from connectors.slack.sandbox import SlackSandbox

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
TARGET = Target("slack", "list", "vip", {"hook": "incoming"}, "Größte Kunden")


def person(number, op="add", why=None, **names):
    told = {"add": "entered vip", "remove": "left vip"}[op] if why is None else why
    return Change(str(number), op, identifiers={"person": str(number), **names}, why=told)


class Patience(MachineClock):
    """A clock that passes as soon as somebody waits, and remembers how long."""

    def __init__(self):
        self.slept = 0.0

    def monotonic(self):
        return self.slept

    def sleep(self, seconds):
        self.slept += seconds


class Channel:
    """The fake's hook and what was posted."""

    def __init__(self, url, sandbox):
        self.url, self.sandbox, self.clock = url, sandbox, Patience()

    def slack(self, **options):
        context = Context("slack", options, lambda name: f"sandbox-{name}", NOW, self.url)
        return Slack(context, self.clock)

    def messages(self):
        return requests.get(f"{self.url}/__messages", timeout=5).json()

    def texts(self):
        return [one["text"] for one in self.messages()]

    def fault(self, **what):
        self.sandbox.faults.add(Fault(**what))

    def post(self, text, token="sandbox-url", **more):
        path = f"{self.url}/services/T00000000/B00000000/{token}"
        reply = requests.post(path, **(more or {"json": {"text": text}}), timeout=5)
        return reply.status_code, reply.text


@pytest.fixture
def open_channel():
    """Channels with options of their own."""
    with ExitStack() as stack:

        def opened(**options):
            store = Store()
            sandbox = SlackSandbox(store, SandboxClock(store), options)
            return Channel(stack.enter_context(serve(sandbox)), sandbox)

        yield opened


@pytest.fixture
def channel(open_channel):
    return open_channel()


def test_one_message_says_who_entered_and_left(channel):
    """A channel that gets a message for each person is muted."""
    moves = [*(person(n) for n in range(12)), *(person(n, "remove") for n in range(20, 23))]
    receipts = channel.slack().apply(TARGET, moves)
    assert {one.verdict for one in receipts} == {"confirmed"}
    (text,) = channel.texts()
    first, last = text.splitlines()
    assert first == "*Größte Kunden*: 12 entered, 3 left."
    assert last.startswith("_audiencehub vip ")


def test_names_only_where_they_are_asked_for(channel):
    """A channel of forty readers is no place for personal data unless somebody wants it there."""
    quiet = channel.slack()
    assert quiet.can.identifiers == ("person",)
    known = {"first_name": "Zoë", "last_name": "Weiß", "company_name": "R&D GmbH"}
    quiet.apply(TARGET, [person(1, **known)])
    assert "Zoë" not in channel.texts()[0]

    loud = channel.slack(names=2)
    assert loud.can.identifiers == ("person", "first_name", "last_name", "company_name")
    crowd = [person(n, **known) for n in (1, 2, 3)] + [person(4)]
    loud.apply(TARGET, [*crowd, person(5, "remove", first_name="Gone")])
    named = channel.texts()[1].splitlines()[1]
    assert named == "Entered: Zoë Weiß (R&amp;D GmbH), Zoë Weiß (R&amp;D GmbH) and 2 more."
    assert "Gone" not in channel.texts()[1]
    assert Slack.can.identifiers == ("person",), "and no other entry hears of it"


def test_no_name_and_no_label_calls_the_channel_or_becomes_a_link(channel):
    """Whoever fills in a form chooses their name; so does whoever writes a rule."""
    evil = [
        "<!channel>", "<@U012>", "@here", "http://evil.example/x", "evil.example",
        "<https://a.example|Ann>", "a@x.example", "*Ann*\n_Lee_",
    ]  # fmt: skip
    made = [identify("slack", "first_name", value) for value in evil]
    assert all(isinstance(one, Identifier) for one in made)
    target = Target("slack", "list", "vip", TARGET.remote, "<!channel> & <@U012>")
    moves = [person(number, first_name=one.sent) for number, one in enumerate(made)]
    channel.slack(names=50).apply(target, moves)
    (seen,) = channel.messages()
    assert (seen["mentions"], seen["links"]) == ([], [])
    assert "@here" not in seen["text"] and "@x" not in seen["text"] and "Ann" in seen["text"]


def test_the_fake_knows_a_mention_and_a_link(channel):
    """A fake that sees neither would pass the test above whatever is sent."""
    channel.post("<!channel> see <https://a.example|this> or evil.example")
    (seen,) = channel.messages()
    assert seen["mentions"] and len(seen["links"]) >= 2


@pytest.mark.parametrize(
    "why", ["identifiers changed", "said again: resync", "was sent once, and", "renewed", ""]
)
def test_what_is_no_news_is_not_told(channel, why):
    """A corrected name, or a resync, would announce thousands who were there all along."""
    for op in ("add", "remove"):
        (receipt,) = channel.slack().apply(TARGET, [person(1, op, why)])
        assert (receipt.verdict, receipt.proof) == ("confirmed", "nothing to tell")
    assert channel.messages() == []


def test_an_alert_tells_of_those_who_enter_alone(channel):
    """A team that calls whoever enters does not want to hear of the others."""
    alert = channel.slack(entering_only=True)
    alert.apply(TARGET, [person(1, "remove"), person(2)])
    assert channel.texts()[0].startswith("*Größte Kunden*: 1 entered.")
    alert.apply(TARGET, [person(2, "remove")])
    assert len(channel.messages()) == 1


def test_a_digest_that_comes_twice_has_the_same_mark(channel):
    """After a lost answer nobody knows whether it was posted; people must see that it is one."""
    channel.fault(path="/services", hang_up=True, after_apply=True)
    moves = [person(2), person(1), person(3, "remove")]
    with pytest.raises(OutcomeUnknown):
        channel.slack().apply(TARGET, moves)
    channel.slack().apply(TARGET, moves[::-1])
    channel.slack().apply(TARGET, moves[:1])
    marks = [text.splitlines()[-1] for text in channel.texts()]
    assert marks[0] == marks[1] != marks[2]


@pytest.mark.parametrize(
    ("state", "word", "hint"),
    [
        ("archived", "410 channel_is_archived", "Restore the channel"),
        ("restricted", "403 action_prohibited", "who may post"),
        ("deleted", "404 channel_not_found", "Make a new incoming webhook"),
    ],
)
def test_a_channel_that_takes_nothing_stops_with_its_reason(open_channel, state, word, hint):
    """Tried for ever, a dead hook would hold up each run."""
    channel = open_channel(channel=state)
    with pytest.raises(Stop, match=word) as caught:
        channel.slack().apply(TARGET, [person(1)])
    assert hint in caught.value.hint


def test_a_hook_that_was_revoked_stops_before_anything_is_posted(channel):
    """`doctor` and the first sync must see it, and the message must not hold the address."""
    hook = Slack(Context("slack", {}, lambda _: "revoked-hook-token", NOW, channel.url))
    for act in (hook.check, lambda: hook.ensure(Target("slack", "list", "vip"), ())):
        with pytest.raises(Stop, match="404 no_service") as caught:
            act()
        assert "revoked-hook-token" not in str(caught.value)
    assert "revoked-hook-token" not in redact("POST /services/T/B/revoked-hook-token")


def test_checking_posts_nothing(channel):
    """A channel that gets a message with each `doctor` is muted."""
    assert "the hook answers" in channel.slack().check()
    assert channel.slack().ensure(Target("slack", "list", "vip"), ()) == {"hook": "incoming"}
    assert channel.messages() == []


def test_a_limit_is_waited_for(open_channel):
    """Slack takes about one message a second and says how long to wait."""
    channel = open_channel(per_second=0)
    assert channel.post("x") == (429, "rate_limited")
    del channel.sandbox.options["per_second"]
    channel.fault(path="/services", status=429, headers={"Retry-After": "30"}, body="rate_limited")
    (receipt,) = channel.slack().apply(TARGET, [person(1)])
    assert receipt.verdict == "confirmed" and channel.clock.slept >= 30
    assert Slack.can.ceilings[0].calls / Slack.can.ceilings[0].seconds == 1


@pytest.mark.parametrize("body", ["<html>Sign in</html>", {"ok": True}, ""])
def test_another_answer_than_ok_proves_nothing(channel, body):
    """The page of a proxy is no post."""
    channel.fault(path="/services", status=200, body=body)
    with pytest.raises(OutcomeUnknown):
        channel.slack().apply(TARGET, [person(1)])


def test_an_address_that_is_not_slacks_gets_no_name():
    """A typing error in the secret would send names to whoever owns that host."""
    for url in ("https://hooks.slack.com.evil.example/services/x", "http://hooks.slack.com/x"):
        with pytest.raises(Stop, match="none of Slack") as caught:
            Slack(Context("slack", {}, lambda _, url=url: url, NOW)).check()
        assert url not in str(caught.value)


def test_the_fake_refuses_as_slack_does(channel):
    """A fake that takes anything would pass whatever is sent."""
    assert channel.post("x", token="another") == (404, "no_service")
    assert channel.post("") == (400, "no_text")
    assert channel.post("x" * 40_001) == (400, "msg_too_long")
    assert channel.post("", data="{", headers={"Content-Type": "application/json"}) == (
        400, "invalid_payload",
    )  # fmt: skip
    assert channel.post("", data={"payload": '{"text": "x"}'}) == (200, "ok")


@pytest.mark.parametrize(
    "options", [{"names": 51}, {"names": -1}, {"url": "https://in.the.clear"}, {"typo": 1}]
)
def test_wrong_options_are_refused(options):
    """A typing error, or a secret in a file, would pass silently."""
    with pytest.raises(ValidationError) as error:
        Options(**options)
    assert "clear" not in str(error.value)


def test_the_front_page_leads_somewhere():
    """The hub would list Slack and could not open it; staff are told, so that no consent is asked
    for, and nothing but names may leave."""
    spec = connector.spec("slack")
    for path in (spec.destination, spec.sandbox, spec.options):
        assert connector.load(path)
    assert Slack.can.internal and Slack.can.mixed and Slack.can.kinds == {"list"}
    assert set(PLATFORMS["slack"]) == {"first_name", "last_name", "company_name"}
