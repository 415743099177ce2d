"""User lists: made once for each target, found again by a mark, measured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from audiencehub.connector import mark_of
from audiencehub.errors import OutcomeUnknown, Stop, Wait
from audiencehub.model import Figures, Target
from connectors.google_ads import faults
from connectors.google_ads.connection import Connection
from connectors.google_ads.options import Options

MARK = re.compile(r"\[([0-9a-f]{12}:[0-9]+)\]$")
PAGE = 1000
"""Lists per page, the API's most (userLists.list)."""
MINIMUM = 100
"""Active members of 30 days below which no network serves a list (support.google.com/google-ads,
"About Customer Match")."""


class Lists:
    """The user lists of one account, as far as targets have them."""

    def __init__(self, connection: Connection, options: Options) -> None:
        self._connection, self._options = connection, options
        self._parent = f"accountTypes/GOOGLE_ADS/accounts/{options.account}"

    def reach(self) -> None:
        """One cheap read. Raises Stop without access."""
        self._connection.lists("list_user_lists", {"parent": self._parent, "page_size": 1})

    def ready(self, target: Target) -> str:
        """The id of the list remembered, else of the one marked as ours, else of a new one.

        Its membership duration is brought to the options'. Raises Stop where the list is gone,
        closed or read-only.
        """
        known = target.remote.get("user_list_id")
        found = self._read(known) if known else self._marked(target)
        if found is None:
            return self._made(target)
        if found.read_only:
            raise faults.error_of(
                {"details": [{"reason": "USER_LIST_MUTATION_NOT_SUPPORTED"}]},
                400,
                "ensure",
                writes=False,
            )
        if found.membership_status == 2:
            raise Stop(
                f"The list of {target.id} is closed at Google: {_closing(found)}.",
                hint="Open it again under Audience manager in Google Ads",
            )
        if found.membership_duration != self._duration:
            self._change(str(found.id), membership_duration=self._duration)
        return str(found.id)

    def figures(self, target: Target) -> Figures:
        """Smallest and largest network's count; the match rate, where Google tells one."""
        try:
            found = self._read(target.remote.get("user_list_id", "0"))
        except faults.Refused as error:
            if error.reason == "NOT_FOUND":
                return Figures("gone")
            raise
        if found.membership_status == 2:
            return Figures("blocked", detail=_closing(found))
        sizes = found.size_info
        counts = (
            sizes.display_network_members_count,
            sizes.search_network_members_count,
            sizes.youtube_members_count,
            sizes.gmail_members_count,
        )
        percent = found.ingested_user_list_info.contact_id_info.match_rate_percentage
        match = (percent / 100, percent / 100) if percent else None
        if not any(counts):
            return Figures("building", match=match)
        size = (min(counts), max(counts))
        return Figures("ready" if max(counts) >= MINIMUM else "too_small", size=size, match=match)

    def describe(self, target: Target, mark: str) -> None:
        """Keep this line in the list's description, behind the mark that it is found by."""
        known = target.remote.get("user_list_id")
        if known is None:
            raise Stop(f"{target.id} has no list yet.", hint="Run: audiencehub sync")
        said = f"Kept by {self._options.namespace}. {self._mark(target)} [{mark}]"
        self._change(known, description=said)

    def described(self, target: Target) -> str | None:
        """What the description ends with; None without a list or a line."""
        known = target.remote.get("user_list_id")
        found = self._read(known) if known else self._marked(target)
        line = MARK.search(found.description) if found is not None else None
        return line[1] if line else None

    @property
    def _duration(self) -> timedelta:
        return timedelta(days=self._options.membership_days)

    def _read(self, known: str) -> Any:
        found = self._connection.lists(
            "get_user_list", {"name": f"{self._parent}/userLists/{known}"}
        )
        if str(found.id) != known:
            raise Wait("Google answers with another list than was asked for.", hint="Run again")
        return found

    def _made(self, target: Target) -> str:
        """A new list. Names are unique in an account: where another has ours, the mark tells them
        apart, for what a person made is never taken over."""
        name = target.label or target.place
        for title in (name, f"{name} {self._mark(target)}"):
            try:
                made = self._connection.lists("create_user_list", self._description(target, title))
            except faults.Refused as error:
                if error.reason != faults.TAKEN or title != name:
                    raise
                continue
            if not made.id:
                raise OutcomeUnknown(
                    "Google made a list but named none.",
                    hint="Run again: it is found by its description",
                )
            return str(made.id)
        raise AssertionError("the second name is made or refused")

    def _description(self, target: Target, name: str) -> dict[str, Any]:
        return {
            "parent": self._parent,
            "user_list": {
                "display_name": name,
                "description": f"Kept by {self._options.namespace}; edit the rule instead. "
                f"{self._mark(target)}",
                "membership_duration": self._duration,
                "ingested_user_list_info": {
                    "upload_key_types": ["CONTACT_ID"],
                    "contact_id_info": {"data_source_type": "DATA_SOURCE_TYPE_FIRST_PARTY"},
                },
            },
        }

    def _change(self, known: str, **values: Any) -> None:
        self._connection.lists(
            "update_user_list",
            {
                "user_list": {"name": f"{self._parent}/userLists/{known}", **values},
                "update_mask": {"paths": list(values)},
            },
        )

    def _marked(self, target: Target) -> Any | None:
        """The list made for this target in a run that did not live to remember it."""
        mark = self._mark(target)
        ours = [one for one in self._every() if mark in one.description]
        return min(ours, key=lambda one: one.id, default=None)

    def _every(self) -> Iterator[Any]:
        token, seen = "", set[str]()
        while True:
            page = self._connection.lists(
                "list_user_lists",
                {"parent": self._parent, "page_size": PAGE, "page_token": token},
            )
            # Not by iterating the pager: it fetches further pages past the errors read here.
            yield from page.user_lists
            token = page.next_page_token
            if not token:
                return
            if token in seen:
                raise Wait("Google's list of user lists does not end.", hint="Run again later")
            seen.add(token)

    def _mark(self, target: Target) -> str:
        return mark_of(self._options.namespace, target)


def _closing(found: Any) -> str:
    return "unused for too long" if found.closing_reason == 1 else "closed by a person"
