"""The loop around the wire: limiter, tries, waits, and what a failure means."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from audiencehub.errors import HubError, Incomplete, OutcomeUnknown, Stop, Wait
from audiencehub.http.clock import MACHINE, Clock
from audiencehub.http.limiter import Limiter
from audiencehub.http.meter import sent
from audiencehub.http.redaction import RedactingFilter, redact
from audiencehub.http.reply import Reply, headers_of
from audiencehub.http.retry import LONGEST_WAIT, Policy, jitter, retry_after
from audiencehub.http.wire import Lost, Unreadable, Unsent, Untrusted, Wire

log = logging.getLogger(__name__)
log.addFilter(RedactingFilter())

_AGAIN = "Run again later; what was fetched so far is kept"
# A server may apply a write and still answer one of these, or a proxy before it may.
_UNPROVEN = frozenset({408, 500, 502, 503, 504, 507, 509, *range(520, 531)})


@dataclass(frozen=True, slots=True)
class Call:
    """One request and what may become of it."""

    request: requests.PreparedRequest
    writes: bool
    accept: frozenset[int] = frozenset()
    """Statuses that are returned rather than tried again."""
    deadline: float | None = None

    @property
    def what(self) -> str:
        """Method and path, without query."""
        return redact(f"{self.request.method} {urlsplit(self.request.url or '').path}")


@dataclass(slots=True)
class _Again:
    """A try that failed in a way that another may not, and the error when none is left."""

    error: HubError
    wait: float | None = None
    """Seconds that the other side asked for; None: choose."""
    throttled: bool = False


class Exchange:
    """Carries out calls under one policy and one limiter. Thread safe."""

    def __init__(self, policy: Policy, limiter: Limiter | None, clock: Clock = MACHINE) -> None:
        self.policy, self.clock = policy, clock
        self.limiter = limiter or Limiter(clock=clock)
        self._wire, self._rng = Wire(), random.Random(policy.seed)

    def perform(self, call: Call) -> requests.Response:
        """The answer, body read; any status that is neither a limit nor an outage comes back.

        Raises Wait, Stop (certificate), Incomplete (cut off, out of bounds), OutcomeUnknown.
        """
        end = self.clock.monotonic() + (call.deadline or self.policy.deadline)
        for attempt in range(1, self.policy.attempts + 1):
            with self.limiter.place(end - self.clock.monotonic()):
                result = self._try(call, end)
            if isinstance(result, requests.Response):
                self.limiter.worked()
                return result
            wait = jitter(self.policy, attempt, self._rng) if result.wait is None else result.wait
            if result.throttled:
                self.limiter.pause(wait)
            last = attempt == self.policy.attempts
            if last or wait > LONGEST_WAIT or self.clock.monotonic() + wait > end:
                if not result.throttled:
                    self.limiter.failed()
                if isinstance(result.error, Wait):
                    result.error.seconds = result.wait
                raise result.error
            log.debug("%s: try %d failed, next in %.1f s", call.what, attempt, wait)
            self.clock.sleep(wait)
        raise AssertionError("a policy has at least one attempt")

    def _try(self, call: Call, end: float) -> requests.Response | _Again:
        policy = self.policy
        left = max(0.001, end - self.clock.monotonic())
        sent()
        try:
            response = self._wire.exchange(
                call.request,
                connect=min(policy.connect, left),
                read=min(policy.read, left),
                reply=min(policy.reply, left),
                max_body=policy.max_body,
            )
        except Untrusted:
            raise Stop(
                f"{call.what}: the certificate of the other side is not valid for it.",
                hint="Check the address; a company's own authority goes into REQUESTS_CA_BUNDLE",
            ) from None
        except Unsent:
            return _Again(Wait(f"{call.what}: no connection.", hint=_AGAIN))
        except Lost:
            return _Again(_unknown_if_write(call, "no answer came", Wait))
        except Unreadable as error:
            failure = _unknown_if_write(call, f"the answer {error.why}", Incomplete)
            if not error.again:
                raise failure from None
            return _Again(failure)
        log.debug("%s: %d, %d bytes", call.what, response.status_code, len(response.content))
        return self._judge(call, response)

    def _judge(self, call: Call, response: requests.Response) -> requests.Response | _Again:
        status = response.status_code
        if status < 400:
            return response
        asked = retry_after(
            response.headers.get("Retry-After"), response.headers.get("Date"), self.clock.now()
        )
        vendor = self.policy.throttle and self.policy.throttle(reply_of(call, response))
        limited = status == 429 or (status == 503 and asked is not None)
        if limited or vendor is not None:
            wait = asked if asked is not None else vendor
            error = Wait(f"{call.what}: a limit of the other side ({status}).", hint=_AGAIN)
            # A wait of nothing would hammer a server that has just asked for rest.
            return _Again(error, wait=wait or None, throttled=True)
        if status in call.accept or status not in _UNPROVEN:
            return response
        return _Again(_unknown_if_write(call, f"status {status}", Wait))


def reply_of(call: Call, response: requests.Response) -> Reply:
    """The response in the hub's own shape."""
    return Reply(
        response.status_code, headers_of(response.headers), response.content, call.what, call.writes
    )


def _unknown_if_write(call: Call, why: str, otherwise: type[Wait] | type[Incomplete]) -> HubError:
    """The error of a read, returned; a write is not repeated here, so that of a write is raised."""
    if call.writes:
        raise OutcomeUnknown(
            f"{call.what}: {why}; it may have been applied.",
            hint="Run again: the write is checked or repeated",
        )
    return otherwise(f"{call.what}: {why}.", hint=_AGAIN)
