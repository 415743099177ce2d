"""Slack's incoming webhooks: one hook, its channel, and the messages posted to it.

Statuses and words: docs.slack.dev, Sending messages using incoming webhooks, "Handling errors".
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from audiencehub.http import MachineClock
from audiencehub.sandbox.kit import VendorSandbox

if TYPE_CHECKING:
    from audiencehub.sandbox.company import Company

TOKEN = "sandbox-url"  # noqa: S105 - the fake's own
LONGEST = 40_000
MENTION = re.compile(r"<(!channel|!here|!everyone|[@#!][^>]*)>")
LINK = re.compile(r"<?https?://|\b[\w-]+\.(?:com|net|org|io|example)\b", re.I)


class SlackSandbox(VendorSandbox):
    """Options: `channel` = "archived", "restricted" or "deleted"; `per_second` (messages, beyond
    which it answers 429).

    `GET /__messages` answers what was posted, oldest first: `{"text", "mentions", "links"}`.
    """

    vendor = "slack"
    keeps = ("message",)

    def seed(self, company: Company) -> None:
        """A channel is empty at first."""

    def advance(self, before: Company, after: Company) -> None:
        """A day changes nothing here."""

    def routes(self) -> list[Route]:
        """One address for each hook."""
        return [Route("/services/{team}/{bot}/{token}", self._post, methods=["POST"])]

    def doors(self) -> list[Route]:
        """`/__messages`."""
        return [Route("/__messages", self._messages, methods=["GET"])]

    async def _messages(self, _: Request) -> Response:
        return JSONResponse(list(self.store.table("message").values()))

    async def _post(self, request: Request) -> Response:
        if request.path_params["token"] != TOKEN:
            return PlainTextResponse("no_service", 404)
        text = _text(await request.body(), request.headers.get("content-type", ""))
        refusal = self._refusal(text)
        if refusal:
            return PlainTextResponse(*refusal)
        if self._too_fast():
            return PlainTextResponse("rate_limited", 429, headers={"Retry-After": "1"})
        self._keep(str(text))
        return PlainTextResponse("ok")

    def _refusal(self, text: str | None) -> tuple[str, int] | None:
        """The word and status for a message that cannot be posted."""
        if text is None:
            return "invalid_payload", 400
        if not text.strip():
            return "no_text", 400
        if len(text) > LONGEST:
            return "msg_too_long", 400
        return {
            "archived": ("channel_is_archived", 410),
            "restricted": ("action_prohibited", 403),
            "deleted": ("channel_not_found", 404),
        }.get(str(self.options.get("channel")))

    def _too_fast(self) -> bool:
        most, now = self.options.get("per_second"), MachineClock().now().timestamp()
        if most is None:
            return False
        table = self.store.table("posted")
        times = [at for at in table.get("times", {"at": []})["at"] if now - at < 1]
        if len(times) >= int(most):
            return True
        table["times"] = {"at": [*times, now]}
        return False

    def _keep(self, text: str) -> None:
        table = self.store.table("message")
        key = f"{len(table):06d}"
        table[key] = {
            "text": text,
            "mentions": MENTION.findall(text),
            "links": LINK.findall(text),
        }
        self.record_write(key, "post")


def _text(body: bytes, kind: str) -> str | None:
    """The text of a payload, as JSON or as the form of old hooks; None for what is none."""
    try:
        if kind.startswith("application/x-www-form-urlencoded"):
            said: Any = json.loads(parse_qs(body.decode())["payload"][0])
        elif kind.startswith("application/json"):
            said = json.loads(body)
        else:
            return None
    except (ValueError, KeyError):
        return None
    text = said.get("text", "") if isinstance(said, dict) else None
    return text if isinstance(text, str) else None
