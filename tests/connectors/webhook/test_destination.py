"""The webhook against a receiver that checks: what leaves, what proves, what stops."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from audiencehub import connector
from audiencehub.connector import Context
from audiencehub.errors import BatchRefused, ConfigError, OutcomeUnknown, Stop
from audiencehub.http import MachineClock, redact
from audiencehub.model import Change, Need
from audiencehub.privacy import PLATFORMS
from audiencehub.sandbox.clock import START
from connectors.webhook.destination import Webhook
from connectors.webhook.options import Options

from .conftest import NOW, TARGET, digest, people


def test_adds_and_removals_share_a_message(receiver):
    """Two messages for one change of a segment would be half of it at the receiver."""
    destination = receiver.destination()
    assert destination.can.mixed
    destination.apply(TARGET, people("a", "b"))
    before = len(receiver.sandbox.requests)
    receipts = destination.apply(TARGET, [*people("c"), *people("a", op="remove")])
    assert len(receiver.sandbox.requests) == before + 1
    assert [one.verdict for one in receipts] == ["confirmed"] * 2
    assert receiver.names() == ["b", "c"]


def test_a_run_that_says_the_same_again_uses_the_same_key(receiver):
    """The receiver could not tell a repetition from another message."""
    first, again = people("a", "b"), people("b", "a")
    for changes in (first, again):
        receiver.destination().apply(TARGET, changes)
    assert list(receiver.keys().values()) == [2]


def test_who_comes_back_in_a_later_run_is_no_repetition(receiver):
    """Added, removed and added again, the third message is the first one's twin; taken for a
    repetition by a receiver that keeps its keys, the person would stay out."""
    for hour, op in enumerate(("add", "remove", "add")):
        receiver.destination(NOW.replace(hour=hour)).apply(TARGET, people("a", op=op))
    assert len(receiver.keys()) == 3
    assert receiver.names() == ["a"]


@pytest.mark.parametrize("hashed", [True, False])
def test_who_was_added_under_other_options_is_removed_as_they_were_added(receiver, hashed):
    """A removal that today's options refuse leaves somebody with the receiver for ever."""
    email = digest("a@x.example") if hashed else "a@x.example"
    known = {"email": email, "external_id": "C-1", "first_name": "Zoë"}
    then = {"fields": ["email", "external_id", "first_name"], "hashed": hashed}
    receiver.destination(**then).apply(TARGET, [Change("a", "add", identifiers=known)])
    assert len(receiver.held()) == 1
    now = receiver.destination(fields=["external_id"], hashed=not hashed)
    (gone,) = now.apply(TARGET, [Change("a", "remove", identifiers=known)])
    assert gone.verdict == "confirmed"
    assert receiver.held() == []


def test_only_the_fields_asked_for_leave(receiver):
    """What the settings do not name must not go out, whatever the hub hands over."""
    destination = receiver.destination(fields=["email", "external_id", "first_name"])
    more = {"external_id": "C-1", "first_name": "Zoë"}
    kept, refused = destination.apply(TARGET, [*people("a", **more), *people("b", city="Ulm")])
    assert receiver.held() == [{"email_sha256": digest("a@x.example"), **more}]
    assert kept.verdict == "confirmed"
    assert (refused.verdict, refused.reason.partition(":")[0]) == (
        "rejected", "unknown_identifier",
    )  # fmt: skip
    assert destination.can.identifiers == ("email", "external_id", "first_name")


@pytest.mark.parametrize(
    ("identifiers", "code"),
    [
        ({"email": "a@x.example"}, "not_hashed"),
        ({"email": digest("")}, "not_hashed"),
        ({"external_id": " "}, "malformed"),
        ({"first_name": "Zoë"}, "no_identifier"),
        ({}, "no_identifier"),
    ],
)
def test_what_names_nobody_or_is_readable_never_leaves(receiver, identifiers, code):
    """An address in clear, where hashes were promised, cannot be called back."""
    destination = receiver.destination(fields=["email", "external_id", "first_name"])
    receipts = destination.apply(TARGET, [Change("x", "add", identifiers=identifiers)])
    assert receipts[0].reason.startswith(code)
    assert not receiver.sandbox.requests


def test_readable_text_goes_out_where_it_was_asked_for(receiver):
    """A receiver of one's own may need the address itself; a hash in its place says nothing."""
    destination = receiver.destination(hashed=False, fields=["email", "phone"])
    assert destination.can.platform == "webhook"
    sound = Change("a", "add", identifiers={"email": "a@x.example", "phone": "+4915112345678"})
    hashed = Change("b", "add", identifiers={"email": digest("b@x.example")})
    done, refused = destination.apply(TARGET, [sound, hashed])
    assert (done.verdict, refused.reason) == ("confirmed", "malformed: email")
    assert receiver.held() == [dict(sound.identifiers)]


def test_rows_that_the_receiver_rejects_are_rejected_and_the_rest_is_done(open_receiver):
    """One unknown customer must not stand for a message of five hundred."""
    receiver = open_receiver(unknown=["C-2"])
    changes = [Change(str(n), "add", identifiers={"external_id": f"C-{n}"}) for n in (3, 2, 1, 2)]
    receipts = receiver.destination().apply(TARGET, changes)
    assert [one.reason for one in receipts] == [
        None, "receiver: unknown customer", None, "receiver: unknown customer",
    ]  # fmt: skip
    assert sorted(row["external_id"] for row in receiver.held()) == ["C-1", "C-3"]


@pytest.mark.parametrize("answers", ["nothing", "text"])
def test_a_status_of_success_is_enough_unless_a_count_is_asked_for(open_receiver, answers):
    """Most receivers say no more than 204 or ok; who can count is held to it."""
    receiver = open_receiver(answers=answers)
    (receipt,) = receiver.destination().apply(TARGET, people("a"))
    assert receipt.verdict == "confirmed" and receipt.proof.startswith("20")
    with pytest.raises(OutcomeUnknown):
        receiver.destination(receipt="count").apply(TARGET, people("a"))


@pytest.mark.parametrize(
    "reply",
    [
        {"body": "<html>Sign in</html>"},
        {"body": {"rejected": [{"in": "added", "index": 9, "reason": "x"}]}},
        {"body": {"rejected": "all"}},
        {"body": {"rejected": [3]}},
        {"body": "{", "content_type": "application/json"},
    ],
)
def test_an_answer_in_the_receivers_place_proves_nothing(receiver, reply):
    """The page of a proxy, with status 200, would confirm people who were never taken."""
    receiver.fault(path="/audiences", status=200, **reply)
    with pytest.raises(OutcomeUnknown):
        receiver.destination().apply(TARGET, people("a"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, BatchRefused) for status in (400, 413, 422)),
        *((status, Stop) for status in (401, 403, 404, 405, 410, 301)),
        *((status, OutcomeUnknown) for status in (408, 409, 500, 502, 503, 504)),
    ],
)
def test_each_status_has_its_consequence(receiver, status, error):
    """Tried for ever, or given up at the first hiccup: both lose people."""
    receiver.fault(path="/audiences", status=status, body={"error": "a@x.example"})
    with pytest.raises(error) as caught:
        receiver.destination().apply(TARGET, people("a"))
    assert "a@x.example" not in str(caught.value) and caught.value.hint


def test_words_of_the_receiver_that_hold_a_value_are_not_kept(receiver):
    """A reason is shown in the console and kept for years."""
    body = {"rejected": [{"in": "added", "index": 0, "reason": "a@x.example is unknown"}]}
    receiver.fault(path="/audiences", status=200, body=body)
    (receipt,) = receiver.destination().apply(TARGET, people("a"))
    assert receipt.reason == "receiver: refused"


def test_consent_is_the_strictest_unless_the_settings_say(receiver):
    """A receiver may be anything: an ad platform behind it needs consent to advertising."""
    assert receiver.destination().can.need == Need("advertising", "ads")
    own = receiver.destination(purpose="marketing", channel="email")
    assert own.can.need == Need("marketing", "email")
    assert Webhook.can.need == Need("advertising", "ads"), "and no other entry hears of it"


def test_an_audience_is_announced_once(receiver):
    """A message for each audience in each run would wake every receiver for nothing."""
    destination = receiver.destination()
    remote = destination.ensure(TARGET, ())
    assert not receiver.sandbox.requests, "it is known"
    fresh = type(TARGET)("webhook", "list", "churn", {}, "Gefährdet")
    assert destination.ensure(fresh, ()) == {"audience": "churn"}
    assert receiver.sandbox.store.table("audience")["churn"] == {"label": "Gefährdet"}
    assert len(receiver.sandbox.requests) == destination.setting_up(fresh) == 1
    assert (remote, destination.setting_up(TARGET)) == ({"audience": "vip"}, 0)


class Late(MachineClock):
    """A machine whose clock is ten minutes behind."""

    def now(self):
        return START


def test_a_wrong_clock_is_named(receiver):
    """Signatures that are too old look like a wrong key; the hint must name both."""
    with pytest.raises(Stop, match="signature") as caught:
        receiver.destination(clock=Late()).apply(TARGET, people("a"))
    assert "clock" in caught.value.hint and "key" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["http://receiver.example/x", "ftp://receiver.example/x", "nowhere"]
)
def test_an_address_without_https_is_refused_unseen(url):
    """People's data in clear on the wire; and the address itself is a secret."""
    context = Context("webhook", {}, lambda _: url, NOW)
    with pytest.raises(ConfigError) as refused:
        Webhook(context).check()
    assert url not in str(refused.value)


def test_the_address_is_hidden_from_errors_and_logs(receiver):
    """Whoever reads it can post to it."""
    url = f"{receiver.url}/hooks/aVerySecretPath"
    with pytest.raises(Stop, match="nobody listens") as caught:
        Webhook(Context("webhook", {}, lambda _: url, NOW)).check()
    assert "aVerySecretPath" not in str(caught.value)
    assert "aVerySecretPath" not in redact(f"POST {url} and /hooks/aVerySecretPath")


@pytest.mark.parametrize(
    "options",
    [
        {"fields": []},
        {"fields": ["first_name", "company_domain"]},
        {"fields": ["email", "email"]},
        {"fields": ["e-mail"]},
        {"url": "https://in.the.clear.example"},
        {"key": "in-the-clear"},
        {"receipt": "maybe"},
        {"typo": 1},
    ],
)
def test_wrong_options_are_refused(options):
    """A typing error, or a secret in a file, would pass silently."""
    with pytest.raises(ValidationError) as error:
        Options(**options)
    assert "clear" not in str(error.value)


def test_the_front_page_leads_somewhere():
    """The hub would list the webhook and could not open it."""
    spec = connector.spec("webhook")
    for path in (spec.destination, spec.sandbox, spec.options):
        assert connector.load(path)
    for hashed in (True, False):
        platform = PLATFORMS["webhook_hashed" if hashed else "webhook"]
        every = Options.model_fields["fields"].annotation.__args__[0].__args__
        assert set(every) <= set(platform)
        assert platform["email"].hashed is hashed
