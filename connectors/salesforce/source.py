"""Reads an org: REST queries for little, Bulk API 2.0 for much, tombstones for what is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from audiencehub.connector import Context, Source
from audiencehub.errors import ConfigError, Stop
from audiencehub.http import HttpRefused
from audiencehub.model import Cursor, Json, Page, Row, Stream
from connectors.salesforce.answers import (
    csv_rows,
    deleted_of,
    ids,
    incomplete,
    key_of,
    part,
    readable,
)
from connectors.salesforce.client import Client, format_soql
from connectors.salesforce.mapping import OPTIONAL, STREAMS, Entity, instant, rows_of

REPLICATED_DAYS = 14
"""getDeleted reaches 15 days back; an older cursor reads everything again
(SOAP API Developer Guide, getDeleted)."""
CASTS: Mapping[str, Callable[[str], Any]] = {
    "boolean": lambda text: text == "true",
    "int": int,
    "double": float,
    "currency": float,
    "percent": float,
    # Bulk results spell instants otherwise than REST; one spelling makes equal records equal.
    "datetime": lambda text: text.replace("Z", "+0000"),
}


@dataclass(slots=True)
class _Pull:
    """One pull in progress."""

    stream: Stream
    full: bool
    cursor: dict[str, str]
    """Where each sObject stands; becomes the cursor of the last page."""
    total: int = 0
    newest: dict[str, datetime] = field(default_factory=dict)
    covered: dict[str, datetime] = field(default_factory=dict)
    """Up to when the vendor's list of deletions of an sObject is whole."""

    def saw(self, entity: str, records: Sequence[Json]) -> None:
        """Remember the newest stamp."""
        stamps = [readable(instant, one.get("SystemModstamp")) for one in records]
        known = [when for when in stamps if when]
        if len(known) < len(stamps):
            raise incomplete(f"A record of {entity} does not say when it was changed.")
        if known:
            self.newest[entity] = max(*known, self.newest.get(entity, known[0]))


class SalesforceSource(Source):
    """Contacts, leads, accounts, deals, activities and campaign members of one org.

    The cursor holds, for each sObject, the newest SystemModstamp seen and the time up to which
    deletions are covered; in the middle of an incremental pull also the last Id at that stamp,
    since records of one transaction share theirs. A pull begins some minutes before its cursor, so
    records may come twice; they are the same rows.
    """

    streams = (
        Stream("contact", "Contacts", tombstones=True),
        Stream("lead", "Leads", tombstones=True),
        Stream("account", "Accounts", tombstones=True),
        Stream("deal", "Opportunities", tombstones=True),
        Stream("activity", "Tasks and events", tombstones=True),
        Stream("campaign_member", "Campaign members", tombstones=True),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.client = Client(context)
        self.options = self.client.options
        self._described: dict[str, Mapping[str, Json]] = {}

    def available(self) -> Sequence[Stream]:
        """The streams that the options name; all of them when they name none."""
        wanted = self.options.streams
        known = [one.name for one in self.streams]
        unknown = sorted(set(wanted or ()) - set(known))
        if unknown:
            raise ConfigError(
                f"Salesforce has no stream {unknown[0]!r}.", hint=f"Use some of: {', '.join(known)}"
            )
        return [one for one in self.streams if wanted is None or one.name in wanted]

    def check(self) -> str:
        """The calls left today, after every mapped field of every stream was found readable."""
        for stream in self.available():
            for entity in STREAMS[stream.name]:
                self._columns(stream, entity)
        left = part(self.client.call("GET", "limits"), "DailyApiRequests")
        return f"Salesforce {self.options.domain}: {left['Remaining']} of {left['Max']} calls left"

    def rows(self, stream: Stream, record: Json) -> Iterable[Row]:
        """Contacts and leads also say whether the person opted out of e-mail."""
        return rows_of(stream.name, record, self._own(stream))

    def pull(self, stream: Stream, cursor: Cursor | None) -> Iterator[Page]:
        """Everything without a cursor; else what was changed or deleted since.

        `total` stands on the last page: the sum of what the vendor's replies claim.
        Raises Stop where a mapped field cannot be read, Incomplete, Wait.
        """
        entities = STREAMS[stream.name]
        columns = {one.name: self._columns(stream, one) for one in entities}
        covered: dict[str, datetime] = {}
        removed = None if cursor is None else self._removed(entities, cursor, covered)
        # Deletions that the vendor no longer lists are found only by reading everything.
        pull = _Pull(stream, removed is None, dict(cursor or {}) if removed is not None else {})
        pull.covered = covered if removed is not None else {}
        if removed:
            pull.total += len(removed)
            yield Page(removed, full=pull.full)
        for entity in entities:
            soql, where = self._soql(pull, entity, columns[entity.name])
            count = self.client.count(f"SELECT COUNT() FROM {entity.name}{where}")
            if count > self.options.bulk_query_above:
                yield from self._bulk(pull, entity, columns[entity.name], soql)
            else:
                yield from self._rest(pull, entity, columns[entity.name], soql, count)
            pull.cursor = self._settled(pull, entity)
        yield Page((), pull.cursor, last=True, total=pull.total, full=pull.full)

    def _own(self, stream: Stream) -> Mapping[str, str]:
        places: Mapping[Any, Mapping[str, str]] = self.options.fields
        entity = "contact" if stream.name == "lead" else stream.name
        return {**places.get(stream.name, {}), **self.context.custom.get(entity, {})}

    def _columns(self, stream: Stream, entity: Entity) -> tuple[str, ...]:
        """The fields to select. Raises Stop for one that field-level security hides: the vendor
        would leave its column empty in reports and refuse the query here."""
        if entity.name not in self._described:
            self._described[entity.name] = self.client.describe(entity.name)
        seen = self._described[entity.name]
        wanted = entity.columns(self._own(stream))
        missing = [one for one in wanted if "." not in one and one not in seen]
        hidden = [one for one in missing if one not in OPTIONAL]
        if hidden:
            raise Stop(
                f"Salesforce lacks or hides {', '.join(f'{entity.name}.{one}' for one in hidden)}.",
                hint="Grant the integration user read access to it (field-level security), or "
                "correct `fields` of this settings entry",
            )
        return tuple(one for one in wanted if one not in missing)

    def _soql(self, pull: _Pull, entity: Entity, columns: Sequence[str]) -> tuple[str, str]:
        """The query without order, and its condition. Names come from describe, values are
        bound."""
        start, after = pull.cursor.get(entity.name), pull.cursor.get(f"{entity.name}.after")
        where = ""
        if start and after:
            where = format_soql(
                " WHERE ((SystemModstamp = {0} AND Id > {1}) OR SystemModstamp > {0})",
                datetime.fromisoformat(start),
                after,
            )
        elif start:
            where = format_soql(" WHERE SystemModstamp >= {}", self._since(start))
        return f"SELECT {', '.join(columns)} FROM {entity.name}{where}", where

    def _since(self, start: str) -> datetime:
        return datetime.fromisoformat(start) - timedelta(minutes=self.options.overlap_minutes)

    def _settled(self, pull: _Pull, entity: Entity) -> dict[str, str]:
        """The cursor once this sObject is read: never ahead of the run's clock, so that a stamp
        from the future hides nothing."""
        before = pull.cursor.get(entity.name)
        newest = pull.newest.get(entity.name) or (
            datetime.fromisoformat(before) if before else self.context.now
        )
        kept = {k: v for k, v in pull.cursor.items() if k != f"{entity.name}.after"}
        now = self.context.now.astimezone(UTC)
        return kept | {
            entity.name: min(newest, now).astimezone(UTC).isoformat(),
            f"{entity.name}.covered": min(pull.covered.get(entity.name, now), now).isoformat(),
        }

    def _removed(
        self, entities: Sequence[Entity], cursor: Cursor, covered: dict[str, datetime]
    ) -> list[Json] | None:
        """Tombstones of what was deleted since, also where the recycle bin was emptied; None when
        the vendor cannot say any more. `covered` learns how far each list reaches: it may lag."""
        found: list[Json] = []
        for entity in entities:
            start = cursor.get(f"{entity.name}.covered")
            since = self._since(start) if start else None
            if since is None or since < self.context.now - timedelta(days=REPLICATED_DAYS):
                return None
            try:
                reply = self.client.call(
                    "GET",
                    f"sobjects/{entity.name}/deleted/",
                    params={
                        "start": _minute(since),
                        "end": _minute(self.context.now + timedelta(minutes=1)),
                    },
                )
            except HttpRefused as refused:
                if refused.code in ("INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT"):
                    return None
                raise
            earliest = readable(instant, part(reply).get("earliestDateAvailable"))
            if earliest and earliest > since:
                return None
            reached = readable(instant, part(reply, "latestDateCovered"))
            if reached is None:
                raise incomplete("A list of deleted records does not say how far it reaches.")
            covered[entity.name] = reached.astimezone(UTC)
            found += deleted_of(reply)
        return found

    def _rest(
        self, pull: _Pull, entity: Entity, columns: Sequence[str], soql: str, count: int
    ) -> Iterator[Page]:
        total, own = 0, {one for one in columns if "." not in one}
        for raw, said in self.client.query(f"{soql} ORDER BY SystemModstamp, Id", deleted=True):
            total, records = said, [_flat(one) for one in raw]
            # Empty fields are named too: one that is not has gone since the first page.
            if any(own - one.keys() for one in records):
                raise incomplete(f"A record of {entity.name} lacks fields that were asked for.")
            pull.saw(entity.name, records)
            if records:
                yield Page(records, self._resume(pull, entity, records[-1]), full=pull.full)
        if total < count:
            raise incomplete(f"A query of {entity.name} found {total} where {count} were counted.")
        pull.total += total

    def _resume(self, pull: _Pull, entity: Entity, last: Json) -> Cursor | None:
        """Where to go on after this page. A full pull starts over: half of one proves nothing."""
        when = instant(last.get("SystemModstamp"))
        if pull.full or when is None or when > self.context.now:
            return None
        return {**pull.cursor, entity.name: when.isoformat(), f"{entity.name}.after": last["Id"]}

    def _bulk(
        self, pull: _Pull, entity: Entity, columns: Sequence[str], soql: str
    ) -> Iterator[Page]:
        """Pages of a query job. Without ORDER BY, which would keep the vendor from splitting it."""
        opened = self.client.call(
            "POST",
            "jobs/query",
            json={
                "operation": "queryAll",
                "query": soql,
                "columnDelimiter": "COMMA",
                "lineEnding": "LF",
            },
        )
        job = key_of(opened)
        ended = self.client.wait_for("query", job)
        if ended.get("state") != "JobComplete":
            raise incomplete(f"Bulk query job {job} ended as {ended.get('state')}.")
        seen, locator, places = 0, "", set[str]()
        while True:
            records, following = self._bulk_page(entity, columns, job, locator)
            seen += len(records)
            # A page that comes again in place of another would leave the sum as it should be.
            if records:
                first = f"{records[0]['Id']}"
                if first in places:
                    raise incomplete(f"A page of bulk query job {job} came twice.")
                places.add(first)
            pull.saw(entity.name, records)
            yield Page(records, full=pull.full)
            if not following:
                break
            if following in places:
                raise incomplete("A locator of bulk results came twice.")
            if not records:
                raise incomplete("A page of bulk results is empty, and not the last.")
            places.add(following)
            locator = following
        if ended.get("numberRecordsProcessed") != seen:
            raise incomplete(
                f"Bulk query job {job} gave {seen} of "
                f"{ended.get('numberRecordsProcessed')} records."
            )
        pull.total += seen

    def _bulk_page(
        self, entity: Entity, columns: Sequence[str], job: str, locator: str
    ) -> tuple[list[Json], str]:
        place = {"locator": locator} if locator else {}
        reply = self.client.call(
            "GET",
            f"jobs/query/{job}/results",
            params={"maxRecords": self.options.bulk_page, **place},
            headers={"Accept": "text/csv"},
        )
        header, *rows = csv_rows(reply)
        following = reply.headers.get("Sforce-Locator")
        if reply.headers.get("Sforce-NumberOfRecords") != str(len(rows)) or following is None:
            raise incomplete(f"A page of bulk query job {job} does not hold what its header says.")
        if sorted(header) != sorted(columns):
            raise incomplete(f"A page of bulk query job {job} has other columns than asked for.")
        seen = self._described[entity.name]
        kinds = [seen[name]["type"] if name in seen else "string" for name in header]
        casts = [CASTS.get(kind, str) for kind in kinds]
        records: list[Json] = [
            {
                name: readable(cast, text) if text else None
                for name, cast, text in zip(header, casts, row, strict=True)
            }
            for row in rows
        ]
        if len(ids(records)) != len(rows):
            raise incomplete(f"A page of bulk query job {job} has a record twice, or without Id.")
        return records, "" if following == "null" else following


def _minute(when: datetime) -> str:
    """Seconds are ignored by the vendor."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00+00:00")


def _flat(record: Json) -> Json:
    """Without `attributes`, and with related fields under dotted names as in bulk results."""
    made: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping) and name != "attributes":
            made |= {f"{name}.{k}": v for k, v in value.items() if k != "attributes"}
        elif name != "attributes":
            made[name] = value
    return made
