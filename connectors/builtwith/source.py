"""The BuiltWith enricher: one bulk job per thousand domains, submitted, awaited, downloaded.

The contract: builtwith.com code-examples `domain-api/bulk`, api.builtwith.com/domain-api and
/llms.txt. A result can be downloaded once; afterwards the job is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from audiencehub.connector import Context, Enricher
from audiencehub.errors import Incomplete, OutcomeUnknown, SkipRow, Stop, Wait
from audiencehub.http import (
    Clock,
    Header,
    HttpClient,
    HttpRefused,
    MachineClock,
    Policy,
    Reply,
    limiter_for,
)
from audiencehub.model import Json, Page, Row, Stream

BASE_URL = "https://api.builtwith.com"
REQUESTS_PER_SECOND = 10
FIRST_POLL = 0.2
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def throttled(reply: Reply) -> float | None:
    """Seconds to wait: BuiltWith tells them in the body of a 429, not in a header."""
    if reply.status != 429:
        return None
    try:
        seconds = reply.json().get("retryAfterSeconds")
    except (Incomplete, OutcomeUnknown, AttributeError):
        return 0
    return float(seconds) if isinstance(seconds, int | float) and seconds >= 0 else 0


class BuiltWithEnricher(Enricher):
    """Technologies by account domain; an answer is good for thirty days."""

    key = "account.domain"
    batch_size = 1000
    keep_days = 30
    stream = Stream("technology_install", "Technologies")

    def __init__(self, context: Context, clock: Clock | None = None) -> None:
        super().__init__(context)
        self._clock = clock or MachineClock()

    @cached_property
    def _client(self) -> HttpClient:
        base_url = self.context.base_url or BASE_URL
        token = self.context.secret("token")
        return HttpClient(
            base_url,
            # In a header: as ?KEY= it would stand in every log on the way.
            auth=Header("Authorization", lambda: f"API {self.context.secret('token')}"),
            policy=Policy(throttle=throttled),
            limiter=limiter_for((token, base_url), REQUESTS_PER_SECOND, clock=self._clock),
            clock=self._clock,
        )

    def check(self) -> str:
        """The credits that are left (`usagev2`, free of charge). Raises Stop."""
        usage = self._client.get("/usagev2/api.json").json()
        remaining = usage.get("remaining") if isinstance(usage, dict) else None
        if not isinstance(remaining, int):
            raise Stop(
                "BuiltWith does not tell the credits of this key.",
                hint="Check the API key that deployments/ refers to",
            )
        return f"BuiltWith answers; {remaining:,} credits are left"

    def enrich(self, keys: Sequence[str]) -> Iterator[Page]:
        """One page per job, a record per domain found. The last page has `last`.

        Raises Incomplete when an answer names a domain that nobody asked for, or a job fails.
        """
        wanted = list(dict.fromkeys(keys))
        size = int(self.context.options.get("domains_per_job", self.batch_size))
        for start in range(0, len(wanted), size):
            batch = wanted[start : start + size]
            yield Page(self._answers(batch), last=start + size >= len(wanted))
        if not wanted:
            yield Page((), last=True)

    def answers(self, record: Json) -> str:
        """The domain that was looked up; none where nothing is said of what is in use there."""
        return _domain(record) if isinstance(record.get("Paths"), list) else ""

    def rows(self, stream: Stream, record: Json) -> Iterable[Row]:  # noqa: ARG002 - there is one
        """One row per technology, whatever the number of paths it was seen on."""
        domain = _domain(record)
        if not domain:
            raise SkipRow(
                "The answer names no domain.",
                code="no_domain",
                hint="Run again; if it stays, report it to BuiltWith",
            )
        found: dict[str, dict[str, Any]] = {}
        for path in record.get("Paths") or ():
            for technology in path.get("Technologies") or ():
                _merge(found, technology)
        return [_row(domain, slug, values) for slug, values in found.items()]

    def _answers(self, domains: Sequence[str]) -> list[Json]:
        body = self._client.post("/v22/domain/bulk", json=self._request(domains)).json()
        if isinstance(body, dict) and body.get("job_id"):
            body = self._awaited(str(body["job_id"]))
        return _results(body, frozenset(domains))

    def _request(self, domains: Sequence[str]) -> dict[str, Any]:
        # Names, addresses and phones on the site are not needed, so they are not fetched.
        options = {"noMeta": True, "noPii": True, "hideText": True, "hideDL": True}
        if self.context.options.get("live_only"):
            options["liveOnly"] = True
        return {"lookups": list(domains), "options": options}

    def _awaited(self, job: str) -> Any:
        if not _JOB_ID.fullmatch(job):
            raise Incomplete("BuiltWith named its job in an impossible way.", hint="Run again")
        longest = float(self.context.options.get("poll_seconds", 10.0))
        pause = min(FIRST_POLL, longest)
        end = self._clock.monotonic() + 60 * float(self.context.options.get("job_minutes", 30.0))
        while (status := self._status(job)) != "complete":
            if status not in ("queued", "pending", "processing", "running", "in_progress"):
                raise Incomplete("The BuiltWith job failed.", hint="Run again")
            if self._clock.monotonic() + pause > end:
                raise Wait("The BuiltWith job is not done yet.", hint="Run again later")
            self._clock.sleep(pause)
            pause = min(max(pause, FIRST_POLL) * 2, longest)
        return self._download(job)

    def _status(self, job: str) -> str:
        body = self._client.get(f"/v22/domain/bulk/{job}").json()
        return str(body.get("status", "")).lower() if isinstance(body, dict) else ""

    def _download(self, job: str) -> Any:
        try:
            # A second request finds nothing, so a lost answer must not be asked for again.
            return self._client.get(f"/v22/domain/bulk/{job}/result", writes=True).json()
        except (OutcomeUnknown, HttpRefused) as error:
            if isinstance(error, HttpRefused) and error.status not in (404, 410):
                raise
            raise Incomplete(
                "The result of the BuiltWith job was lost on the way.",
                hint="Run again: the domains are asked for once more",
            ) from None


def _domain(record: Json) -> str:
    return str(record.get("Lookup") or "").strip().lower()


def _results(body: Any, asked: frozenset[str]) -> list[Json]:
    results = body.get("Results") if isinstance(body, dict) else None
    if not isinstance(results, list):
        errors = body.get("Errors") if isinstance(body, dict) else None
        if errors:
            raise Stop(
                "BuiltWith refused the lookup.",
                hint="Check the API key and its credits: audiencehub doctor",
            )
        raise Incomplete("The BuiltWith answer has no results.", hint="Run again")
    records: list[Json] = []
    for entry in results:
        # A lone answer says its domain in the result, one of many beside it.
        inner = entry.get("Result") if isinstance(entry, dict) else None
        if not isinstance(inner, dict):
            raise Incomplete("A BuiltWith answer has another shape.", hint="Run again")
        record = {**inner, "Lookup": inner.get("Lookup") or entry.get("Lookup")}
        if str(record["Lookup"]).lower() not in asked:
            raise Incomplete("BuiltWith answered for another domain.", hint="Run again")
        records.append(record)
    return records


def _merge(found: dict[str, dict[str, Any]], technology: Json) -> None:
    name = str(technology.get("Name") or "")
    slug = _slug(name).replace("_", "-")
    if not slug:
        return
    first = _instant(technology.get("FirstDetected"))
    last = _instant(technology.get("LastDetected"))
    live = technology.get("Live")
    known = found.setdefault(
        slug, {"category": _category(technology), "first": first, "last": last, "live": live}
    )
    known["first"] = min(filter(None, (known["first"], first)), default=None)
    known["last"] = max(filter(None, (known["last"], last)), default=None)
    known["live"] = live if known["live"] is None else bool(known["live"] or live)


def _category(technology: Json) -> str | None:
    categories = technology.get("Categories") or ()
    names = [one.get("Category") if isinstance(one, dict) else one for one in categories]
    return _slug(str(next(filter(None, names), None) or technology.get("Tag") or "")) or None


def _row(domain: str, slug: str, values: Json) -> Row:
    return Row(
        "technology_install",
        f"{domain}|{slug}",
        {
            "account_domain": domain,
            "technology": slug,
            "category": values["category"],
            "first_detected_at": values["first"] and values["first"].isoformat(),
            "last_detected_at": values["last"] and values["last"].isoformat(),
            "is_live": values["live"],
        },
        observed_at=values["last"],
    )


def _slug(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def _instant(value: Any) -> datetime | None:
    """BuiltWith counts milliseconds since 1970; zero stands for unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        return None
