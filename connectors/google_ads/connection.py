"""The way to the Data Manager API, all of it under the hub's HTTP policy.

Lists and statuses go through Google's own client over REST, imported when it is first needed, for
that takes a fifth of a second. Members go as JSON of our own making: the client serializes ten
thousand of them in a third of a second, which is more than the quota leaves for them.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import orjson

from audiencehub.connector import Context
from audiencehub.errors import Incomplete, OutcomeUnknown, Wait
from audiencehub.http import (
    HttpClient,
    HttpRefused,
    Limiter,
    OAuth,
    Policy,
    Reply,
    limiter_for,
    session_for,
)
from connectors.google_ads import faults
from connectors.google_ads.login import login
from connectors.google_ads.options import Options

if TYPE_CHECKING:
    import requests

HOST = "https://datamanager.googleapis.com"
PER_MINUTE = 300
"""Requests per minute and Cloud project, of each of the four kinds: ingestion and everything else,
writing and reading (Data Manager API, "Limits and quotas")."""
BURST = 20
SILENCE = 60.0
"""Seconds after a full minute's quota; jitter comes on top (same page)."""
ASK_AGAIN = 3600.0
"""Seconds after a full day's quota, whose end no reply tells."""
TIMEOUT = 180.0
"""For the library; the policy's own limits are tighter."""

Kind = Literal["send", "ask", "manage", "look"]
"""The quotas: ingestion writing and reading, management writing and reading."""
Verb = Literal["ingest", "remove", "removeAll"]
_READ_HERE = frozenset(range(200, 500)) - {401}


class Connection:
    """Calls one account's services. Logs in at the first call, and anew when a token has run out.

    Raises Stop, Wait, OutcomeUnknown and what `faults.error_of` makes of an error reply.
    """

    def __init__(self, context: Context, options: Options) -> None:
        self.context, self.options = context, options
        self._rng = random.Random()

    def members(self, verb: Verb, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """One call that changes members: the answer's document.

        Raises RowsRefused where Google names rows, BatchRefused where some row may be to blame.
        """
        what = f"{verb} members"
        try:
            reply = self._rows.request(
                "POST",
                f"v1/audienceMembers:{verb}",
                data=orjson.dumps(body),
                headers={"Content-Type": "application/json"},
                accept=_READ_HERE,
                writes=True,
            )
        except Incomplete as error:
            raise Wait(error.message, hint="Run again later") from None
        except HttpRefused as error:
            if error.status != 401:
                raise
            document = {"status": "UNAUTHENTICATED"}
            raise faults.error_of(document, 401, what, writes=True) from None
        if reply.status == 200:
            found = reply.json()
            return found if isinstance(found, dict) else {}
        known = _document(reply.content)
        if known is None:
            raise unreadable(what, writes=True)
        raise faults.error_of(known, reply.status, what, writes=True, rows=verb != "removeAll")

    def status(self, request: str) -> Any:
        """What Google tells of a request: a RetrieveRequestStatusResponse."""
        return self._call("ask", "retrieve_request_status", {"request_id": request})

    def lists(self, method: str, request: Any) -> Any:
        """One call of UserListService: its answer; for a listing that of the first page."""
        kind: Kind = "look" if method.startswith(("get", "list")) else "manage"
        return self._call(kind, method, request)

    @cached_property
    def _auth(self) -> OAuth:
        return login(self.options, self.context.secret, self.context.base_url)

    @cached_property
    def _rows(self) -> HttpClient:
        return HttpClient(
            self.context.base_url or HOST,
            auth=self._auth,
            policy=Policy(throttle=self._throttled),
            limiter=self._limiter("send"),
        )

    @cached_property
    def _services(self) -> Mapping[Kind, Any]:
        """A client for each quota, since each has a limiter of its own."""
        from google.ads.datamanager_v1.services import ingestion_service, user_list_service
        from google.ads.datamanager_v1.services.ingestion_service import transports as asking
        from google.ads.datamanager_v1.services.user_list_service import transports as managing

        # At debug level the library serializes every request once more, for its log.
        logging.getLogger("google.ads.datamanager_v1").setLevel(logging.INFO)
        lists, over = user_list_service.UserListServiceClient, managing.UserListServiceRestTransport
        statuses = ingestion_service.IngestionServiceClient
        return {
            "ask": self._client(statuses, asking.IngestionServiceRestTransport, "ask"),
            "manage": self._client(lists, over, "manage"),
            "look": self._client(lists, over, "look"),
        }

    def _client(self, service: Any, transport: Any, kind: Kind) -> Any:
        """Google's client on our session, whose adapter carries every request.

        The transport makes a session of its own and takes none, so that it is replaced here and
        the methods, which hold it, are made anew: the one place that touches its private parts.
        """
        from google.api_core.gapic_v1 import client_info
        from google.auth import credentials

        untyped: Any = credentials
        there = urlsplit(self.context.base_url or HOST)
        made = transport(
            host=there.netloc,
            url_scheme=there.scheme,
            credentials=untyped.AnonymousCredentials(),
        )
        made._session = self._session(kind)
        untyped = client_info
        made._prep_wrapped_messages(untyped.ClientInfo(user_agent="audiencehub"))
        return service(transport=made)

    def _session(self, kind: Kind) -> requests.Session:
        session = session_for(
            self.context.base_url,
            policy=Policy(throttle=self._throttled),
            limiter=self._limiter(kind),
        )

        def signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers.update(self._auth.headers())
            return request

        session.auth = signed
        return session

    def _limiter(self, kind: Kind) -> Limiter:
        # Accounts that one login serves share its project's quotas.
        options = self.options
        project = str(options.client_id or options.service_account or options.account)
        key = (self.context.base_url or HOST, project, kind)
        return limiter_for(key, rate=PER_MINUTE, per=60.0, burst=BURST)

    def _throttled(self, reply: Reply) -> float | None:
        """Seconds to wait where the reply says that nothing was done: a quota, or an ABORTED."""
        if reply.status == 409 and faults.status_of(_document(reply.content)) == "ABORTED":
            return 0.0
        if reply.status != 429:
            return None
        quota = faults.quota_of(_document(reply.content))
        if "PerDay" in quota:
            return ASK_AGAIN
        return SILENCE + self._rng.uniform(0.0, SILENCE / 4) if "PerMinute" in quota else None

    def _call(self, kind: Kind, method: str, request: Any) -> Any:
        from google.api_core.exceptions import GoogleAPICallError, Unauthorized
        from google.protobuf.json_format import ParseError

        writes, what = kind == "manage", method.replace("_", " ")
        call = getattr(self._services[kind], method)
        metadata = () if kind == "ask" else self._metadata()
        for again in (True, False):
            try:
                sent = self._auth.headers()
                return call(request=request, retry=None, timeout=TIMEOUT, metadata=metadata)
            except Unauthorized as error:
                if again and self._auth.refresh(sent):
                    continue
                raise self._error(error, what, writes=writes) from None
            except GoogleAPICallError as error:
                raise self._error(error, what, writes=writes) from None
            except Incomplete as error:
                raise Wait(error.message, hint="Run again later") from None
            except (ParseError, ValueError, TypeError, AttributeError, RecursionError):
                # What the library makes of an answer that is not the message it should be.
                raise unreadable(what, writes=writes) from None
        raise AssertionError("the second try returns or raises")

    def _error(self, error: Any, what: str, *, writes: bool) -> Exception:
        document = _document(getattr(error.response, "content", b""))
        if document is None:
            return unreadable(what, writes=writes)
        return faults.error_of(document, int(error.code or 0), what, writes=writes)

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        """User lists are reached through a manager by a header (Data Manager API, "Headers")."""
        manager = self.options.login
        header = ("login-account", f"accountTypes/GOOGLE_ADS/accounts/{manager}")
        return (header,) if manager else ()


def unreadable(what: str, *, writes: bool) -> OutcomeUnknown | Wait:
    """An answer that proves nothing."""
    said = f"Google's answer to {what} cannot be read"
    if writes:
        return OutcomeUnknown(
            f"{said}; it may have been applied.", hint="Run again: the same rows are sent anew"
        )
    return Wait(f"{said}.", hint="Run again later")


def _document(content: bytes) -> Any:
    """The error object of a reply; None where it holds none."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    found = found[0] if isinstance(found, list) and found else found
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) and error.get("status") else None
