"""HubSpot as a source: whole pulls from the list endpoint, changes from search, both proven."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from audiencehub.connector import Context, Source
from audiencehub.errors import ConfigError, Incomplete, Stop
from audiencehub.http import Clock, HttpRefused
from audiencehub.model import Cursor, Json, Page, Row, Stream
from connectors.hubspot.api import Api, impossible
from connectors.hubspot.linking import link, subscribe
from connectors.hubspot.mapping import ACTIVITIES, Mapper
from connectors.hubspot.options import Options
from connectors.hubspot.reading import Record, listing, named, total
from connectors.hubspot.windows import changed, millis

KINDS = {
    "contact": ("contacts",),
    "account": ("companies",),
    "deal": ("deals",),
    "activity": tuple(ACTIVITIES),
}


class HubSpotSource(Source):
    """Contacts, companies, deals, engagements; the company and the consent of each contact."""

    streams: ClassVar = (
        Stream("account", "Companies", tombstones=True),
        Stream("contact", "Contacts", tombstones=True),
        Stream("deal", "Deals", tombstones=True),
        Stream("activity", "Notes, tasks, calls, e-mails, meetings", tombstones=True),
    )

    def __init__(self, context: Context, clock: Clock | None = None) -> None:
        super().__init__(context)
        self._clock = clock
        self.options = Options(**context.options)
        self.mapper = Mapper(self.options, context.custom)
        self._needed: dict[str, list[str]] = {}

    @cached_property
    def api(self) -> Api:
        """Opened with the first call, so that rows can be read without credentials."""
        return Api(self.context, self._clock)

    def available(self) -> list[Stream]:
        """The streams that the options name."""
        return [stream for stream in self.streams if stream.name in self.options.streams]

    def check(self) -> str:
        """Which portal answers, and how many contacts it has."""
        details = self.api.get("account-info", "details").json()
        return (
            f"portal {details.get('portalId')} ({details.get('timeZone')}), "
            f"{total(self.api, 'contacts')} contacts, API {self.options.version}"
        )

    def pull(self, stream: Stream, cursor: Cursor | None) -> Iterator[Page]:
        """Everything without a cursor, else what changed or was archived since.

        The next cursor stays `overlap_minutes` behind now: the search index lags, and a change it
        had not seen yet is read the next time.
        """
        self._verify(stream)
        horizon = self.context.now - timedelta(minutes=self.options.overlap_minutes)
        end = {"since": _iso(horizon)} | {
            f"fields.{kind}": ",".join(sorted(self._needed[kind])) for kind in KINDS[stream.name]
        }
        if cursor is None:
            return _closed(self._whole(stream), end, full=True)
        since = min(_since(cursor), horizon)
        return _closed(self._changes(stream, since, horizon), end, full=False)

    def rows(self, stream: Stream, record: Json) -> Iterable[Row]:
        """Contact, consent, account, deal, event rows; tombstones of archived and merged ones."""
        return self.mapper.rows(stream.name, record)

    def _verify(self, stream: Stream) -> None:
        """HubSpot leaves unknown properties out without a word, so all are looked up first.

        Raises Stop for a mapped one that is not there, Incomplete for one that was, and is no more.
        """
        for kind in KINDS[stream.name]:
            known = named(self.api, kind)
            mapped = set(self.mapper.own.get(stream.name, {}).values())
            if mapped - known:
                raise Stop(
                    f"HubSpot's {kind} have no property {', '.join(sorted(mapped - known))}.",
                    hint=f"Correct [sources.{self.context.name}.options.fields.{stream.name}]",
                )
            wanted = self.mapper.properties(kind)
            before = {*(self.remembered or {}).get(f"fields.{kind}", "").split(",")}
            if gone := sorted((before & {*wanted}) - known):
                raise Incomplete(
                    f"HubSpot's {kind} no longer have the property {', '.join(gone)}.",
                    hint="Restore it, or name another for that field in "
                    f"[sources.{self.context.name}.options.fields.{stream.name}]",
                )
            self._needed[kind] = [one for one in wanted if one in known]

    def _whole(self, stream: Stream) -> Iterator[Page]:
        kinds = KINDS[stream.name]
        expected = {kind: total(self.api, kind) for kind in kinds}
        everything = sum(expected.values())
        for kind in kinds:
            seen: set[str] = set()
            properties = self.mapper.properties(kind)
            for records in listing(self.api, kind, properties, self._needed[kind]):
                seen.update(record["id"] for record in records)
                yield Page(self._enriched(kind, records), total=everything, full=True)
            lately = 0
            for records in listing(self.api, kind, ["hs_object_id"], archived=True):
                horizon = self.context.now - timedelta(minutes=self.options.overlap_minutes)
                lately += sum(_archived_at(record) >= horizon for record in records)
                yield Page(self._tombstones(kind, records), total=everything, full=True)
            self._prove(kind, len(seen), expected[kind], lately)

    def _prove(self, kind: str, seen: int, expected: int, lately: int) -> None:
        """The list must hold what search counts, but for rows archived while the index lags."""
        if seen + lately >= expected:
            return
        if seen + lately < min(expected, total(self.api, kind)):
            raise impossible(f"the list of {kind}", "holds fewer records than search counts")

    def _changes(self, stream: Stream, since: datetime, horizon: datetime) -> Iterator[Page]:
        kinds = KINDS[stream.name]
        # Search never returns archived rows, and archiving bumps no date: a sweep of its own, and
        # first, so that a cursor in the middle of the search leaves none of them behind.
        for kind in kinds:
            for records in listing(self.api, kind, ["hs_object_id"], archived=True):
                fresh = [record for record in records if _archived_at(record) >= since]
                yield Page(self._tombstones(kind, fresh))
        low, high = millis(_iso(since)), millis(_iso(self.context.now))
        for kind in kinds:
            asked = self.mapper.properties(kind), low, high, self._needed[kind]
            for records, done in changed(self.api, kind, *asked):
                at = min(datetime.fromtimestamp(done / 1000, UTC), horizon)
                resume = {"since": _iso(max(at, since))} if len(kinds) == 1 else None
                yield Page(self._enriched(kind, records), cursor=resume)

    def _enriched(self, kind: str, records: list[Record]) -> list[Record]:
        linked: list[Record] = []
        for start in range(0, len(records), 100):
            part = link(self.api, kind, records[start : start + 100])
            if kind == "contacts" and self.options.subscriptions:
                part = self._subscribed(part)
            linked += part
        return [{**record, "_object": kind} for record in linked]

    def _subscribed(self, records: list[Record]) -> list[Record]:
        try:
            return subscribe(self.api, records)
        except HttpRefused as refused:
            if refused.status not in (403, 404):
                raise
            raise HttpRefused(
                refused.message,
                status=refused.status,
                code=refused.code,
                hint="Grant communication_preferences.statuses.batch.read, or set "
                "subscriptions = false (then nobody counts as having consented to e-mail)",
            ) from None

    @staticmethod
    def _tombstones(kind: str, records: Iterable[Record]) -> list[Record]:
        return [{**record, "archived": True, "_object": kind} for record in records]


def _closed(pages: Iterator[Page], cursor: Cursor, *, full: bool) -> Iterator[Page]:
    """The pages, empty ones left out, the final one marked and carrying the cursor."""
    held: Page | None = None
    for page in pages:
        if not page.records:
            continue
        if held is not None:
            yield held
        held = page
    held = held or Page((), total=0 if full else None, full=full)
    yield replace(held, cursor=cursor, last=True)


def _archived_at(record: Record) -> datetime:
    return _instant(record.get("archivedAt") or record.get("updatedAt"), "an archived record")


def _instant(value: Any, what: str) -> datetime:
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        raise impossible(what, "holds a date that cannot be read") from None


def _since(cursor: Cursor) -> datetime:
    try:
        return datetime.fromisoformat(cursor["since"]).astimezone(UTC)
    except (KeyError, ValueError):
        raise ConfigError(
            "The cursor of a HubSpot stream cannot be read.",
            hint="Pull this source whole: audiencehub pull --full",
        ) from None


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
