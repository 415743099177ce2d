"""Writes segment tags and their reasons on contacts, leads and accounts; and keeps a campaign for
each segment where a rule says `as: list`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from audiencehub.connector import Capabilities, Context, Destination
from audiencehub.errors import ConfigError, OutcomeUnknown
from audiencehub.http import Reply
from audiencehub.model import (
    Change,
    Figures,
    Need,
    Quota,
    Receipt,
    TagOption,
    TagValue,
    Target,
)
from connectors.salesforce import campaigns, fields, ingest
from connectors.salesforce.client import Client, format_soql
from connectors.salesforce.verdicts import refused

ENTITIES: Mapping[str, tuple[str, str]] = {
    "contact": ("Contact", "003"),
    "lead": ("Lead", "00Q"),
    "account": ("Account", "001"),
}
ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?")
COLLECTION = 200
"""Rows per sObject Collections call (REST API Developer Guide, Update Multiple Records)."""
JOB = 10_000
"""Rows per ingest job here: one internal batch of the vendor's, so that a job that fails costs
little (Bulk API 2.0 limits)."""
JOB_CALLS = 10
"""Create, upload, close, three result files, and four looks: jobs of this size end within
seconds, and each look waits twice as long as the one before."""
FIELD_CALLS = 9
"""Two fields, a permission set looked up and made, two grants, its user and assignment, a look."""
READ = 400
"""Ids per query: 27 bytes each once encoded, below the 16 KB that an address may have."""


class SalesforceTags(Destination):
    """Sets one multi-select picklist and one text field, whole; and puts people into campaigns.
    Repeated writes change nothing."""

    can = Capabilities(
        kinds=frozenset({"tag", "list"}),
        places=tuple(ENTITIES),
        batch_size=COLLECTION,
        reads=True,
        platform="salesforce",
        identifiers=("records",),
        record_kinds=("contact", "lead"),
        need=Need("marketing", "email"),
        counts=True,
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.client = Client(context)
        self.options = self.client.options

    def check(self) -> str:
        """The calls left today."""
        left = self.client.call("GET", "limits").json()["DailyApiRequests"]
        return f"Salesforce {self.options.domain}: {left['Remaining']} of {left['Max']} calls left"

    def ensure(self, target: Target, options: Sequence[TagOption]) -> Mapping[str, str]:
        """`object`, `segments_field`, `reason_field`, once both are there and writable; for a list
        `campaign_id`."""
        if target.kind == "list":
            return campaigns.ensure(self.client, target, self.options.namespace)
        entity = _entity(target)
        bad = [one.value for one in options if ";" in one.value]
        if bad:
            raise ConfigError(
                f"The tag {bad[0]!r} holds a semicolon.",
                hint="Rename the segment: Salesforce separates values by semicolons",
            )
        create = self.options.create_fields
        fields.ready(
            self.client,
            entity,
            options,
            create=self.context.base_url is not None if create is None else create,
        )
        return {
            "object": entity,
            "segments_field": self.options.segments_field,
            "reason_field": self.options.reason_field,
        }

    def batch_size(self, target: Target, total: int) -> int:
        """200 rows a Collections call; 10,000 a job above `bulk_ingest_above` changes of tags."""
        if target.kind == "list":
            return COLLECTION
        return JOB if total > self.options.bulk_ingest_above else COLLECTION

    def calls(self, target: Target, total: int) -> int:
        """API calls that this many changes cost, by the way they would go."""
        size = self.batch_size(target, total)
        full, rest = divmod(total, size)
        if target.kind == "list":
            return campaigns.BATCH_CALLS * (full + (rest > 0))
        if size == COLLECTION:
            return full + (rest > 0)
        return full * JOB_CALLS + (JOB_CALLS if rest > COLLECTION else int(rest > 0))

    def reading(self, target: Target, total: int) -> int:
        """One query for each 400 records: their replies fit one page."""
        return -(-total // READ) if target.kind == "tag" else 0

    def setting_up(self, target: Target) -> int:
        """Login and describe; before the first time both fields are made, granted and seen. A
        campaign is looked at, or looked for and made."""
        if target.kind == "list":
            return 2 if target.remote else 3
        return 2 if target.remote else 2 + FIELD_CALLS

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Up to 200 rows by Collections, more by a Bulk API 2.0 ingest job.

        A row that finds its account locked gets `retry`. Raises as the protocol says.
        """
        if target.kind == "list":
            return campaigns.change(self.client, target, changes)
        entity = _entity(target)
        odd = [one for one in changes if one.value is None or not ID.fullmatch(one.member)]
        if odd:
            raise ConfigError(
                f"{target.id}: a change without a value or without a Salesforce id.",
                hint="Plan again: audiencehub plan",
            )
        if not changes:
            return ()
        rows = [self._values(one) for one in changes]
        if len(changes) > COLLECTION:
            return ingest.update(self.client, entity, rows)
        return self._collection(entity, rows)

    def read(self, target: Target, members: Sequence[str]) -> Mapping[str, TagValue]:
        """Tags and reason now; deleted and merged records are absent."""
        entity = _entity(target)
        known = [one for one in members if ID.fullmatch(one)]
        names = (self.options.segments_field, self.options.reason_field)
        short = {one[:15]: one for one in known}
        found: dict[str, TagValue] = {}
        for start in range(0, len(known), READ):
            soql = format_soql(
                f"SELECT Id, {names[0]}, {names[1]} FROM {entity} WHERE Id IN {{}}",
                known[start : start + READ],
            )
            for records, _ in self.client.query(soql):
                for one in records:
                    tags = tuple(sorted(filter(None, (one[names[0]] or "").split(";"))))
                    found[short[one["Id"][:15]]] = TagValue(tags, one[names[1]])
        return found

    def figures(self, target: Target) -> Figures:
        """The size of a campaign, by Salesforce's own count."""
        return campaigns.figures(self.client, target)

    def quota(self) -> Quota | None:
        """Calls of the rolling 24 hours, from the latest reply or, before any, by asking."""
        if self.client.usage is None:
            self.client.call("GET", "limits")
        if self.client.usage is None:
            return None
        used, most = self.client.usage
        return Quota("API requests", most, max(0, most - used), "rolling 24 hours")

    def _values(self, change: Change) -> dict[str, str | None]:
        assert change.value is not None
        made: dict[str, str | None] = {
            "Id": change.member,
            self.options.segments_field: ";".join(change.value.tags) or None,
        }
        if change.value.reason is not None:
            made[self.options.reason_field] = change.value.reason or None
        return made

    def _collection(self, entity: str, rows: Sequence[Mapping[str, Any]]) -> list[Receipt]:
        records = [
            {
                "attributes": {"type": entity},
                "id": row["Id"],
                **{k: v for k, v in row.items() if k != "Id"},
            }
            for row in rows
        ]
        reply = self.client.call(
            "PATCH", "composite/sobjects", json={"allOrNone": False, "records": records}
        )
        said = reply.json()
        if not isinstance(said, list) or len(said) != len(rows):
            raise OutcomeUnknown(
                "A Collections reply does not have one verdict per row.",
                hint="Run again: the records are read back",
            )
        # Verdicts come in the order of the rows; a success repeats the id.
        return [_receipt(str(row["Id"]), one, reply) for row, one in zip(rows, said, strict=True)]


def _receipt(member: str, said: Any, reply: Reply) -> Receipt:
    if not isinstance(said, Mapping):
        return Receipt(member, "unknown", reason="UNREADABLE")
    if said.get("success") is True:
        if str(said.get("id", ""))[:15] != member[:15]:
            return Receipt(member, "unknown", reason="ANOTHER_ID")
        digest = hashlib.sha256(reply.content).hexdigest()[:12]
        return Receipt(member, "confirmed", f"{reply.status} {said['id']} {digest}")
    errors = said.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    return refused(member, str(first.get("statusCode", "")), first.get("fields") or ())


def _entity(target: Target) -> str:
    if target.kind != "tag" or target.place not in ENTITIES:
        raise ConfigError(
            f"Salesforce has no place for {target.id}.",
            hint=f"Use the places {', '.join(ENTITIES)}",
        )
    return ENTITIES[target.place][0]
