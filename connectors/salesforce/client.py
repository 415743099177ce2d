"""One connection to an org: simple-salesforce logs in, our session carries every call.

Replies are read here and not by the library, whose errors carry the body (that is, personal
data), whose bulk calls do not refresh an expired session, and which guesses the charset.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.format import format_soql

from audiencehub.connector import Context
from audiencehub.errors import ConfigError, Incomplete, Stop, Wait
from audiencehub.http import HttpRefused, Reply, hide, is_write, limiter_for, session_for
from connectors.salesforce.answers import ids, incomplete, part, whole_number
from connectors.salesforce.options import SalesforceOptions

__all__ = ["Client", "format_soql"]

Json = Mapping[str, Any]
LIMITS = frozenset(
    {
        "REQUEST_LIMIT_EXCEEDED",
        "TXN_SECURITY_METERING_ERROR",
        "SERVER_UNAVAILABLE",
        "EXCEEDED_QUOTA",
    }
)


def writes(method: str, url: str) -> bool:
    """Calls that change records. A query job changes none, nor does opening or filling an ingest
    job: only closing it does, so only that must never be sent twice."""
    if "/jobs/" in url:
        return method == "PATCH"
    return is_write(method, url)


ENDED = ("JobComplete", "Failed", "Aborted")
GOING = ("Open", "UploadComplete", "InProgress")
"""States of a Bulk API 2.0 job (Bulk API 2.0 Developer Guide, "Get Job Info")."""


class Client:
    """Calls one org. Logs in at the first call; refreshes an expired session once per call."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.options = SalesforceOptions.model_validate(dict(context.options))
        self._org: Salesforce | None = None
        self._lock = threading.Lock()
        self.usage: tuple[int, int] | None = None
        """Calls used and allowed, from the latest reply that told."""

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Json | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
    ) -> Reply:
        """The reply to a path below `/services/data/vXX.0/` (or absolute from `/services`).

        Raises Stop, HttpRefused (a Stop with status and code), Wait, Incomplete, OutcomeUnknown.
        """
        org = self._login()
        token = org.session_id
        reply = self._send(org, method, path, params, json, body, headers)
        if reply.status == 401:
            self._refresh(org, token)
            reply = self._send(org, method, path, params, json, body, headers)
        self._note(reply)
        if reply.status < 300 or reply.status in accept:
            return reply
        raise refusal(reply)

    def query(self, soql: str, *, deleted: bool = False) -> Iterator[tuple[Sequence[Json], int]]:
        """Pages of records, each with the total that the vendor gave. Raises Incomplete."""
        reply = self.call("GET", "queryAll" if deleted else "query", params={"q": soql})
        total, seen, places = whole_number(reply, "totalSize"), set[str](), set[str]()
        while True:
            page = part(reply)
            if page.get("totalSize") != total:
                raise incomplete("A query page has another total than the first.")
            records = page.get("records")
            named = ids(records)
            if not isinstance(records, list) or seen & named or len(named) != len(records):
                raise incomplete("A query page has no records, some without Id, or one twice.")
            seen |= named
            following = page.get("nextRecordsUrl")
            # What is empty, or more than all, and still goes on would go on for ever.
            if following is not None and not 0 < len(named) <= len(seen) < total:
                raise incomplete("A query page is followed by another where nothing is left.")
            if page.get("done") is not (following is None):
                raise incomplete("A query page is neither the last nor followed by another.")
            if following is None and len(seen) != total:
                raise incomplete(f"A query gave {len(seen)} of {total} records.")
            yield records, total
            if following is None:
                return
            if not isinstance(following, str) or not following.startswith("/services/"):
                raise incomplete("A query locator is none.")
            if following in places:
                raise incomplete("A query locator came twice.")
            places.add(following)
            reply = self.call("GET", following)

    def count(self, soql: str) -> int:
        """The number that a `SELECT COUNT()` gives, deleted records included."""
        return whole_number(self.call("GET", "queryAll", params={"q": soql}), "totalSize")

    def describe(self, entity: str) -> Mapping[str, Json]:
        """Field name to its description, as far as field-level security lets this user see."""
        fields = part(self.call("GET", f"sobjects/{entity}/describe")).get("fields")
        if not isinstance(fields, list) or not all(
            isinstance(one, Mapping)
            and isinstance(one.get("name"), str)
            and isinstance(one.get("type"), str)
            for one in fields
        ):
            raise incomplete(f"The description of {entity} cannot be read.")
        return {one["name"]: one for one in fields}

    def wait_for(self, kind: Literal["query", "ingest"], job: str) -> Json:
        """The job when it has ended, whatever way. Raises Wait when `job_minutes` have passed."""
        end = time.monotonic() + self.options.job_minutes * 60
        pause = min(0.05, self.options.poll_seconds)
        while True:
            found = part(self.call("GET", f"jobs/{kind}/{job}"))
            if found.get("state") in ENDED:
                return found
            if found.get("state") not in GOING:
                raise Incomplete(
                    f"Bulk job {job} is in no state that Salesforce documents.",
                    hint="Run again; what the job did is settled by reading back",
                )
            if time.monotonic() > end:
                raise Wait(
                    f"Bulk job {job} is still {found.get('state')}.",
                    hint="Run again later; raise job_minutes if this org is slow",
                )
            time.sleep(pause)
            pause = min(pause * 2, self.options.poll_seconds)

    def _login(self) -> Salesforce:
        with self._lock:
            if self._org is None:
                self._org = self._open()
            return self._org

    def _open(self) -> Salesforce:
        options, secret = self.options, self.context.secret
        key = "session_id" if options.auth == "session" else "consumer_key"
        limiter = limiter_for(
            (secret(key), self.context.base_url or options.domain),
            rate=options.calls_per_second,
            burst=10,
        )
        session = session_for(self.context.base_url, limiter=limiter, writes=writes)
        common: dict[str, Any] = {"session": session, "version": options.api_version}
        if options.auth == "session":
            return Salesforce(
                session_id=hide(secret("session_id")),
                instance=f"{options.domain}.salesforce.com",
                **common,
            )
        if options.auth == "jwt":
            common |= {"username": options.username, "privatekey": hide(secret("private_key"))}
        elif options.domain in ("login", "test"):
            raise ConfigError(
                "Client credentials need the org's own domain.",
                hint='Set domain = "<your My Domain>.my" for the salesforce entry',
            )
        else:
            common |= {"consumer_secret": hide(secret("consumer_secret"))}
        try:
            org = Salesforce(consumer_key=secret("consumer_key"), domain=options.domain, **common)
        except SalesforceAuthenticationFailed as error:
            raise denied(error) from None
        except ValueError as error:
            if options.auth != "jwt":
                raise no_token() from None
            raise ConfigError(
                "The private key cannot be read.",
                hint="private_key takes the PEM text of an RSA key",
            ) from error
        except (AttributeError, TypeError, RecursionError):
            # What the library makes of an answer that is JSON and no token.
            raise no_token() from None
        if not usable(org):
            raise no_token()
        hide(org.session_id)
        return org

    def _refresh(self, org: Salesforce, stale: str) -> None:
        """A new session unless another thread has just made one."""
        with self._lock:
            if org.session_id != stale:
                return
            if self.options.auth == "session":
                raise Stop(
                    "The Salesforce session has expired.",
                    hint="Put a new session id in place, or use auth = "
                    '"client_credentials", which refreshes itself',
                )
            try:
                org._refresh_session()
            except SalesforceAuthenticationFailed as error:
                raise denied(error) from None
            except (AttributeError, TypeError, RecursionError):
                raise no_token() from None
            if not usable(org):
                raise no_token()
            hide(org.session_id)

    def _send(
        self,
        org: Salesforce,
        method: str,
        path: str,
        params: Json | None,
        json: Any,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Reply:
        url = f"https://{org.sf_instance}{path}" if path.startswith("/") else org.base_url + path
        sent = {"Authorization": f"Bearer {org.session_id}", "Accept": "*/*", **(headers or {})}
        found: requests.Response = org.session.request(
            method, url, params=params, json=json, data=body, headers=sent
        )
        shown = path.partition("?")[0]
        return Reply(
            found.status_code,
            found.headers,
            found.content,
            f"{method} {shown}",
            writes(method, url),
        )

    def _note(self, reply: Reply) -> None:
        header = reply.headers.get("Sforce-Limit-Info")
        used = Salesforce.parse_api_usage(header).get("api-usage") if header else None
        if used:
            self.usage = (used.used, used.total)


def denied(error: SalesforceAuthenticationFailed) -> Stop | Wait:
    """The one instruction that a failed login leaves. The vendor's code is safe to show."""
    if error.code == 200:
        return no_token()
    code = str(error.code)[:64] if str(error.code).replace("_", "").isalnum() else "refused"
    return Stop(
        f"Salesforce refuses the login ({code}).",
        hint="Check consumer_key and consumer_secret of the External Client App, and that "
        "it names an integration user who is allowed to use it",
    )


def usable(org: Salesforce) -> bool:
    """Whether a header can carry the token (RFC 6750 §2.1), and an address its instance."""
    return all(
        isinstance(value, str) and re.fullmatch(pattern, value)
        for value, pattern in (
            (org.session_id, r"[\x21-\x7e]+"),
            (org.sf_instance, r"[A-Za-z0-9.-]+(:[0-9]+)?"),
        )
    )


def no_token() -> Wait:
    """A login that was answered, and not by Salesforce: a maintenance page, half a reply."""
    return Wait("Salesforce's login answers without a token.", hint="Run again later")


def refusal(reply: Reply) -> Exception:
    """What a status that nobody expected means. Codes: REST API Developer Guide, Status Codes."""
    code = reply.code
    if code in LIMITS:
        return Wait(
            f"{reply.what}: Salesforce allows no more calls now ({code}).",
            hint="Run again later: the allowance is a rolling 24 hours (Setup > Company "
            "Information shows it)",
        )
    if reply.status == 401:
        return Stop(
            "Salesforce ends every session at once.",
            hint="Check the session policies of the External Client App",
        )
    hint = {
        "INVALID_FIELD": "Grant the integration user the field (field-level security), or correct "
        "its API name",
        "API_DISABLED_FOR_ORG": "Enable API access for this org or user",
        "INVALID_TYPE": "Give the integration user access to the object",
        "INSUFFICIENT_ACCESS": "Give the integration user access to the object",
    }.get(code, "Check the permissions of the integration user; audiencehub doctor tests them")
    return HttpRefused(
        f"{reply.what} was refused ({reply.status} {code}).",
        hint=hint,
        status=reply.status,
        code=code,
    )
