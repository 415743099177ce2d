"""Posts changes to a receiver of one's own. Its answer is the only proof there is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from audiencehub.connector import Capabilities, Context, Destination
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop
from audiencehub.http import (
    Clock,
    HttpClient,
    MachineClock,
    Policy,
    Reply,
    hidden,
    hide,
    limiter_for,
    origin_of,
    signature,
)
from audiencehub.model import Ceiling, Change, Need, Receipt, TagOption, Target
from connectors.webhook.options import Options
from connectors.webhook.rows import Message, Part, message

MOST_ROWS = 500
PATIENCE = Policy(deadline=240.0)
"""Seconds for tries and waits: receivers take no signature that is older than five minutes."""
SANDBOX_PATH = "/audiences"
_READ = frozenset({*range(200, 300), 400, 401, 403, 404, 409, 410, 413, 422})
_REFUSED = frozenset({400, 413, 422})
_REASON = re.compile(r"[a-z][a-z0-9_ -]{0,79}")


class Webhook(Destination):
    """One message for each batch: who was added to an audience, and who was removed."""

    can: Capabilities = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=MOST_ROWS,
        platform="webhook_hashed",
        identifiers=("email", "external_id"),
        need=Need("advertising", "ads"),
        mixed=True,
    )

    def __init__(self, context: Context, clock: Clock | None = None) -> None:
        super().__init__(context)
        self.options = options = Options(**context.options)
        self._clock = clock or MachineClock()
        self.can = replace(
            type(self).can,
            platform="webhook_hashed" if options.hashed else "webhook",
            identifiers=options.fields,
            need=Need(options.purpose, options.channel),
            ceilings=(Ceiling("calls to the receiver", options.calls_per_second, 1.0),),
        )

    @cached_property
    def _url(self) -> str:
        if self.context.base_url:
            return self.context.base_url.rstrip("/") + SANDBOX_PATH
        return hidden(self.context.secret("url"))

    @cached_property
    def _client(self) -> HttpClient:
        return HttpClient(
            origin_of(self._url, "url"),
            policy=PATIENCE,
            limiter=limiter_for(self._url, rate=self.options.calls_per_second, clock=self._clock),
            clock=self._clock,
        )

    def check(self) -> str:
        """A signed message about no audience, in which nobody is added or removed."""
        reply = self._post(message((), (), hashed=True), "", "")
        kind = "hashed" if self.options.hashed else "readable"
        return f"the receiver answers {reply.status}; {kind} {', '.join(self.options.fields)}"

    def ensure(
        self,
        target: Target,
        options: Sequence[TagOption],  # noqa: ARG002 - lists have none
    ) -> Mapping[str, str]:
        """`{"audience": <segment>}`; before the first time the audience is announced by a message
        without rows. Raises Stop, Wait, OutcomeUnknown, BatchRefused."""
        if not target.remote.get("audience"):
            self._post(message((), (), hashed=True), target.place, target.label)
        return {"audience": target.place}

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """One message. Raises BatchRefused for 400, 413 and 422, OutcomeUnknown, Stop, Wait."""
        said = message(changes, self.options.fields, hashed=self.options.hashed)
        receipts = dict(said.refused)
        if said.size:
            reply = self._post(said, target.place, target.label)
            refused = _rejected(reply, said)
            digest = hashlib.sha256(reply.content).hexdigest()[:12]
            key = self._key(target.place, said, target.label)
            proof = f"{reply.status} message {key[:12]} {digest}"
            for name, part in (("added", said.added), ("removed", said.removed)):
                receipts |= _receipts(changes, part, refused.get(name, {}), proof)
        return [receipts[place] for place in range(len(changes))]

    def setting_up(self, target: Target) -> int:
        """One message the first time."""
        return 0 if target.remote else 1

    def _key(self, audience: str, said: Message, label: str) -> str:
        """The same whenever one run says the same again. A later run has another: to add, remove
        and add somebody again is no repetition, though the first and third message are alike."""
        text = f"{self.context.now.isoformat()}|{audience}|".encode()
        return hashlib.sha256(text + said.body(audience, label)).hexdigest()[:32]

    def _post(self, said: Message, audience: str, label: str) -> Reply:
        body = said.body(audience, label)
        at = int(self._clock.now().timestamp())
        reply = self._client.post(
            self._url,
            data=body,
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "Idempotency-Key": self._key(audience, said, label),
                "X-Audiencehub-Timestamp": str(at),
                "X-Audiencehub-Signature": signature(hide(self.context.secret("key")), body, at),
            },
            accept=_READ,
            writes=True,
        )
        if reply.status >= 300:
            raise _refusal(reply, said.size)
        _taken(reply, said.size if self.options.receipt == "count" else None)
        return reply


def _refusal(reply: Reply, rows: int) -> Exception:
    status = f"The receiver answers {reply.status}"
    if reply.status in _REFUSED:
        return BatchRefused(
            f"{status} to a message of {rows} rows.",
            hint="Smaller messages find the row to blame; see audiencehub quarantine",
        )
    if reply.status == 409:
        return OutcomeUnknown(
            f"{status}: it still works on the same message.", hint="Run again: it is sent anew"
        )
    if reply.status in (401, 403):
        return Stop(
            f"{status}: it does not accept the signature.",
            hint="Give this entry and the receiver the same key, and check the receiver's clock",
        )
    return Stop(f"{status}: nobody listens at this address.", hint="Correct the url of this entry")


def _document(reply: Reply) -> Any:
    """The body where it is JSON, else None. A web page is what a proxy says in the receiver's
    place, and no answer."""
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        reply.unreadable("is a web page")
    return reply.json() if reply.content and kind.endswith(("/json", "+json")) else None


def _taken(reply: Reply, rows: int | None) -> None:
    """Raise OutcomeUnknown unless the reply proves what it has to."""
    said = _document(reply)
    if rows is None:
        return
    received = said.get("received") if isinstance(said, Mapping) else None
    if type(received) is not int or received != rows:
        reply.unreadable("does not say that all rows were received")


def _rejected(reply: Reply, said: Message) -> dict[str, dict[int, str]]:
    """List of the message to index to reason: `{"rejected": [{"in": "added", "index": 3, …}]}`."""
    document = _document(reply)
    listed = document.get("rejected") if isinstance(document, Mapping) else None
    found: dict[str, dict[int, str]] = {"added": {}, "removed": {}}
    for one in listed if isinstance(listed, list) else ():
        name, index = (one.get("in"), one.get("index")) if isinstance(one, Mapping) else (None, 0)
        part = {"added": said.added, "removed": said.removed}.get(str(name))
        if part is None or type(index) is not int or not 0 <= index < len(part.rows):
            reply.unreadable("rejects a row that was not sent")
        reason = str(one.get("reason") or "")
        # In the receiver's words only where they are words: a value never gets into a reason.
        found[str(name)][index] = reason if _REASON.fullmatch(reason) else "refused"
    if listed is not None and not isinstance(listed, list):
        reply.unreadable("has a list of rejected rows that is none")
    return found


def _receipts(
    changes: Sequence[Change], part: Part, refused: Mapping[int, str], proof: str
) -> dict[int, Receipt]:
    found = {}
    for index, places in enumerate(part.places):
        for place in places:
            member = changes[place].member
            found[place] = (
                Receipt(member, "rejected", reason=f"receiver: {refused[index]}")
                if index in refused
                else Receipt(member, "confirmed", proof=proof)
            )
    return found
