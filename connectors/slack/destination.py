"""Posts one digest per segment and run to an incoming webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from audiencehub.connector import Capabilities, Context, Destination
from audiencehub.errors import Stop
from audiencehub.http import (
    Clock,
    HttpClient,
    MachineClock,
    Reply,
    hidden,
    limiter_for,
    origin_of,
)
from audiencehub.model import Ceiling, Change, Receipt, TagOption, Target
from connectors.slack.digest import PERSON, digest_of, text_of
from connectors.slack.options import Options

HOSTS = ("https://hooks.slack.com", "https://hooks.slack-gov.com")
PEOPLE = 10_000
"""Changes that share a digest."""
MESSAGES = Ceiling("messages of a hook", 1, 1.0)
"""One a second (docs.slack.dev, Rate limits)."""
NAMES = ("first_name", "last_name", "company_name")
NO_NEWS = "nothing to tell"
EMPTY = frozenset({"no_text", "invalid_payload", "missing_text_or_fallback_or_attachments"})
"""What a hook that works says to a message without text; nothing is posted."""
_ANSWERS = frozenset({200, 400, 403, 404, 410})
_NEW_HOOK = (
    "Make a new incoming webhook in Slack, and refer to its address as the url of this entry"
)
_HINTS: Mapping[int, str] = {
    403: "See in Slack who may post to this channel; or: " + _NEW_HOOK,
    404: _NEW_HOOK,
    410: "Restore the channel in Slack; or make a webhook for another one",
}


class Slack(Destination):
    """Tells the company's own staff; Slack keeps no list, so that nobody can be taken off it."""

    can: Capabilities = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=PEOPLE,
        platform="slack",
        identifiers=(PERSON,),
        internal=True,
        mixed=True,
        ceilings=(MESSAGES,),
    )

    def __init__(self, context: Context, clock: Clock | None = None) -> None:
        super().__init__(context)
        self._clock = clock or MachineClock()
        self.options = Options(**context.options)
        if self.options.names:
            self.can = replace(type(self).can, identifiers=(PERSON, *NAMES))

    @cached_property
    def _url(self) -> str:
        secret = hidden(self.context.secret("url"))
        if self.context.base_url:
            hook = quote(secret, safe="")
            return f"{self.context.base_url.rstrip('/')}/services/T00000000/B00000000/{hook}"
        if not secret.startswith(tuple(f"{host}/" for host in HOSTS)):
            raise Stop("The url of this entry is none of Slack's.", hint=_NEW_HOOK)
        return secret

    @cached_property
    def _client(self) -> HttpClient:
        limiter = limiter_for(
            self._url, rate=MESSAGES.calls, per=MESSAGES.seconds, clock=self._clock
        )
        return HttpClient(origin_of(self._url, "url"), limiter=limiter, clock=self._clock)

    def check(self) -> str:
        """A message without text, which a hook refuses for that alone: nothing is posted."""
        reply = self._post("", writes=False)
        if reply.status == 400 and _word(reply) in EMPTY:
            return f"the hook answers; {self.options.names} names in a digest"
        raise _refusal(reply)

    def ensure(
        self,
        target: Target,
        options: Sequence[TagOption],  # noqa: ARG002 - lists have none
    ) -> Mapping[str, str]:
        """`{"hook": "incoming"}`; before the first time the hook is tried. Raises Stop, Wait."""
        if not target.remote:
            self.check()
        return {"hook": "incoming"}

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """One message, or none where nothing is news. Raises OutcomeUnknown (the digest may come
        twice, then with the same mark), Stop, Wait."""
        receipts = {place: _refused(one) for place, one in enumerate(changes) if _wrong(one)}
        kept = [one for place, one in enumerate(changes) if place not in receipts]
        digest = digest_of(kept, entering_only=self.options.entering_only)
        proof = NO_NEWS
        if digest.entered or digest.left:
            reply = self._post(text_of(target, digest, self.options.names), writes=True)
            if reply.status != 200:
                raise _refusal(reply)
            if _word(reply) != "ok":
                reply.unreadable("is not Slack's ok")
            proof = f"200 ok digest {digest.mark}"
        return [
            receipts.get(place) or Receipt(one.member, "confirmed", proof=proof)
            for place, one in enumerate(changes)
        ]

    def setting_up(self, target: Target) -> int:
        """The hook is tried before the first time."""
        return 0 if target.remote else 1

    def _post(self, text: str, *, writes: bool) -> Reply:
        body: Mapping[str, Any] = {"text": text}
        return self._client.post(self._url, json=body, accept=_ANSWERS, writes=writes)


def _wrong(one: Change) -> str:
    if one.op not in ("add", "remove"):
        return "wrong_op: a digest knows add and remove only"
    return "" if one.identifiers.get(PERSON) else "no_identifier: nobody of the hub's"


def _refused(one: Change) -> Receipt:
    return Receipt(one.member, "rejected", reason=_wrong(one))


def _word(reply: Reply) -> str:
    """Slack answers in one word of plain text."""
    return reply.content[:100].decode("ascii", "replace").strip()


def _refusal(reply: Reply) -> Stop:
    word = _word(reply)
    shown = word if word.isascii() and word.replace("_", "").isalnum() else "without a word"
    return Stop(
        f"Slack answers {reply.status} {shown}.",
        hint=_HINTS.get(reply.status, _NEW_HOOK),
    )
