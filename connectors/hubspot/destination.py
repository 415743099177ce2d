"""HubSpot as a destination: one checkbox property of tags, one text property with the reason; and
a static list per segment where a rule says `as: list`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from audiencehub.connector import Capabilities, Context, Destination
from audiencehub.errors import HubError, Stop
from audiencehub.http import Clock
from audiencehub.model import (
    Ceiling,
    Change,
    Figures,
    Need,
    Quota,
    Receipt,
    TagOption,
    TagValue,
    Target,
)
from connectors.hubspot import lists
from connectors.hubspot.api import Api
from connectors.hubspot.options import Options
from connectors.hubspot.reading import batch_read_values
from connectors.hubspot.setup import ABOUT, ensure_properties
from connectors.hubspot.writes import write

OBJECTS = {"contact": "contacts", "account": "companies"}
TAGS, REASON = "audiencehub_segments", "audiencehub_reason"
BATCH = 100
"""Inputs that a batch update takes (HubSpot, "CRM objects: batch endpoints")."""
MARK = re.compile(r"\[([0-9a-f]{12}:[0-9]+)\]$")
SETUP_CALLS, FIRST_CALLS = 3, 8
"""A look at both properties, and new options; before the first time a look, a group, a property
and the group's look again for each."""
FIRST_LIST_CALLS = 3
"""A search, the list made, and where there is one of that name a look at it."""


class HubSpotDestination(Destination):
    """Writes whole tag sets by record id; the hub alone owns both properties, and its lists."""

    can: Capabilities = Capabilities(
        kinds=frozenset({"tag", "list"}),
        places=tuple(OBJECTS),
        batch_size=BATCH,
        reads=True,
        remembers=True,
        platform="hubspot",
        identifiers=("records",),
        record_kinds=("contact",),
        need=Need("marketing", "email"),
        counts=True,
        ceilings=(Ceiling("calls of an app, Free and Starter", 100, 10.0),),
    )

    def __init__(self, context: Context, clock: Clock | None = None) -> None:
        super().__init__(context)
        self._clock = clock
        self.options = Options(**context.options)

    @cached_property
    def api(self) -> Api:
        """Opened with the first call."""
        return Api(self.context, self._clock)

    def check(self) -> str:
        """Which portal answers, and what is left of the day's calls."""
        details = self.api.get("account-info", "details").json()
        left = self.quota()
        quota = f", {left.remaining} of {left.limit} calls left today" if left else ""
        return f"portal {details.get('portalId')} ({details.get('timeZone')}){quota}"

    def ensure(self, target: Target, options: Sequence[TagOption]) -> Mapping[str, str]:
        """Both properties exist and the tag property allows every option; or the list exists.

        Options that are there already stay: HubSpot replaces the list as a whole. Raises Stop when
        a property of that name is of another type, or the list was deleted.
        """
        if target.kind == "list":
            return lists.ensure(self.api, target, self.options.namespace)
        kind = _kind(target)
        ensure_properties(self.api, kind, self.options.group, options, tags=TAGS, reason=REASON)
        return {"object": kind, "tags": TAGS, "reason": REASON}

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """One batch update by record id; a row is confirmed when the reply holds its record. A list
        takes ids, and its reply names those that HubSpot does not have."""
        if target.kind == "list":
            return lists.change(self.api, target, changes)
        return write(self.api, _kind(target), changes, tags=TAGS, reason=REASON)

    def read(self, target: Target, members: Sequence[str]) -> Mapping[str, TagValue]:
        """Tags and reason that the records hold now; archived and unknown ones are absent."""
        kind, held = _kind(target), {}
        for start in range(0, len(members), BATCH):
            part = members[start : start + BATCH]
            for id_, values in batch_read_values(self.api, kind, part, (TAGS, REASON)).items():
                tags = {one for one in (values.get(TAGS) or "").split(";") if one}
                held[id_] = TagValue(tuple(sorted(tags)), values.get(REASON) or "")
        return held

    def remember(self, target: Target, mark: str) -> None:
        """In the description of the tag property, which the hub alone writes."""
        if not self.keeps_mark(target):
            super().remember(target, mark)
        body = {"description": f"{ABOUT} [{mark}]"}
        self.api.patch("properties", f"{_kind(target)}/{TAGS}", body)

    def recall(self, target: Target) -> str | None:
        """What the description of the tag property ends with; None without one."""
        if not self.keeps_mark(target):
            super().recall(target)
        where = f"{_kind(target)}/{TAGS}"
        reply = self.api.get("properties", where, accept={200, 404})
        if reply.status == 404:
            return None
        found = MARK.search(str(reply.json().get("description") or ""))
        return found[1] if found else None

    def keeps_mark(self, target: Target) -> bool:
        """A list has no description that the API could write."""
        return target.kind == "tag"

    def figures(self, target: Target) -> Figures:
        """The size of a list, by HubSpot's own count."""
        return lists.figures(self.api, target)

    def batch_size(self, target: Target, total: int) -> int:
        """100 records a batch update; 5,000 people a call to a list."""
        return lists.PEOPLE if target.kind == "list" else super().batch_size(target, total)

    def setting_up(self, target: Target) -> int:
        """The looks at the two properties, or at the list; with OAuth a new token and a vain look
        at the usage."""
        if target.kind == "list":
            calls = 1 if target.remote else FIRST_LIST_CALLS
        else:
            calls = SETUP_CALLS if target.remote else FIRST_CALLS
        return calls + 2 * (self.options.auth == "oauth")

    def quota(self) -> Quota | None:
        """The day's calls: rate headers of the latest reply, else the usage of private apps."""
        rate = self.api.rate
        if "Daily-Remaining" in rate:
            return Quota(
                "HubSpot calls a day",
                int(rate["Daily"]),
                int(rate["Daily-Remaining"]),
                "midnight in the portal's time zone",
            )
        try:
            body = self.api.get("account-info", "api-usage/daily/private-apps").json()
            usage = body["results"][0]
            limit, used = int(usage["usageLimit"]), int(usage["currentUsage"])
        except (HubError, LookupError, TypeError, ValueError):
            # OAuth apps have no daily limit, and no word about it.
            return None
        return Quota("HubSpot calls a day", limit, limit - used, str(usage.get("resetsAt", "")))


def _kind(target: Target) -> str:
    if target.kind != "tag" or target.place not in OBJECTS:
        raise Stop(
            f"HubSpot cannot serve {target.id}.",
            hint=f"Use places = {sorted(OBJECTS)} for this destination",
        )
    return OBJECTS[target.place]
