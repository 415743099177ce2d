"""Writes Customer Match lists. Google takes a request whole or not at all, and tells later, as
counts by reason, what became of its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from audiencehub.connector import Capabilities, Context, Destination, unsettled
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import (
    Ceiling,
    Change,
    Figures,
    Need,
    Processed,
    Receipt,
    TagOption,
    Target,
)
from connectors.google_ads import faults, status
from connectors.google_ads.connection import PER_MINUTE, Connection
from connectors.google_ads.lists import MINIMUM, Lists
from connectors.google_ads.members import FIELDS, MOST_MEMBERS, Upload, prepare
from connectors.google_ads.options import Options

POLL = 1800.0
"""Seconds before a request's outcome is worth asking for (Data Manager API, "Diagnostics")."""
CLOCK_SKEW = timedelta(minutes=5)
"""By how much the hub's clock may be ahead of Google's: who was added again must not be removed."""
ROUNDS = 5
"""Times that one upload is sent again without the rows that Google named."""
GRANTED: Mapping[str, Any] = {
    "consent": {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"},
    "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
}
"""What Google wants to be told with adds: the hub has asked each person's consent before."""
_BATCH_FAULTS = (OutcomeUnknown, BatchRefused, Wait, Stop)
_REQUEST = re.compile(r"[A-Za-z0-9_-]{1,120}")


class GoogleAds(Destination):
    """One Customer Match list per segment, kept by ingesting and removing hashed identifiers."""

    can: Capabilities = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=MOST_MEMBERS,
        platform="google",
        identifiers=FIELDS,
        need=Need("advertising", "ads"),
        minimum=MINIMUM,
        remembers=True,
        replaces=True,
        processes_later=True,
        counts=True,
        lifetime=timedelta(days=540),
        ceilings=(
            Ceiling("ingestion writes per Cloud project", PER_MINUTE, 60),
            Ceiling("ingestion writes per Cloud project and day", 100_000, 86_400),
        ),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.options = Options(**context.options)
        self.can = replace(type(self).can, lifetime=timedelta(days=self.options.membership_days))
        self._pending: dict[str, set[str]] = {}
        """Target to the requests of this process that were not seen processed."""

    def check(self) -> str:
        """One read of the account's lists. Raises Stop without access."""
        self._lists.reach()
        through = f" through manager {self.options.login}" if self.options.login else ""
        return f"Google Ads account {self.options.account}{through}, Data Manager API v1"

    def ensure(
        self,
        target: Target,
        options: Sequence[TagOption],  # noqa: ARG002 - lists have none
    ) -> Mapping[str, str]:
        """`{"user_list_id": …}`: the list remembered, else the one marked as ours, else new.

        Another's list of the same name is never taken over. One that was deleted by hand is not
        made again. Raises Stop, Wait, OutcomeUnknown (the next call finds what was made).
        """
        return {"user_list_id": self._lists.ready(target)}

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Ingest and remove people. Confirmed: Google checked every row and took the request.

        What it makes of the rows is told later (`processed`). Once a first request is through,
        faults become receipts.
        """
        known = self._known(target)
        uploads, receipts = prepare(changes)
        sent = False
        for upload in uploads:
            try:
                receipts |= self._settle(target, known, upload, changes)
            except _BATCH_FAULTS as error:
                if not sent:
                    raise
                receipts |= _unsettled(upload, changes, error)
            sent = True
        return [receipts[place] for place in range(len(changes))]

    def remember(self, target: Target, mark: str) -> None:
        """In the list's description, behind the mark that it is found by."""
        self._lists.describe(target, mark)

    def recall(self, target: Target) -> str | None:
        """What the list's description ends with; None without a list or a line."""
        return self._lists.described(target)

    def processed(self, target: Target, job: str) -> Processed:
        """What became of a request; `gone` when Google keeps nothing of it any more (50 days)."""
        try:
            answer = self._connection.status(job)
        except faults.Refused as error:
            if error.reason in faults.TOO_OLD or error.reason == "NOT_FOUND":
                self._pending.get(target.id, set()).discard(job)
                return Processed("gone")
            raise
        found = status.processed(answer, self._known(target))
        if found.state != "running":
            self._pending.get(target.id, set()).discard(job)
        return found

    def figures(self, target: Target) -> Figures:
        """The list's size by network and its match rate, as Google estimates them now."""
        return self._lists.figures(target)

    def replace(self, target: Target, keep: Sequence[Change], since: datetime) -> str:
        """Remove whoever was last added five minutes before `since`, or earlier; the proof.

        Raises Wait while Google still works on a request that this process sent: who is in it may
        count as not added yet (Data Manager API, "Replace audience members").
        """
        del keep
        for job in sorted(self._pending.get(target.id, set())):
            if self.processed(target, job).state == "running":
                raise Wait(
                    "Google still works on what was added.", hint="Run again later", seconds=POLL
                )
        until = (since - CLOCK_SKEW).astimezone(UTC).isoformat().replace("+00:00", "Z")
        body = {"destinations": self._there(self._known(target)), "removeAsOfTime": until}
        return f"200 request {_request_id(self._connection.members('removeAll', body))}"

    def setting_up(self, target: Target) -> int:
        """A login, a look at the list and its duration set; before the first time the lists looked
        through, and one made, under a second name where the first is taken."""
        return 3 if target.remote else 4

    @cached_property
    def _connection(self) -> Connection:
        return Connection(self.context, self.options)

    @cached_property
    def _lists(self) -> Lists:
        return Lists(self._connection, self.options)

    def _known(self, target: Target) -> str:
        known = target.remote.get("user_list_id")
        if not known:
            raise Stop(f"{target.id} has no list yet.", hint="Run: audiencehub sync")
        return known

    def _settle(
        self, target: Target, known: str, upload: Upload, changes: Sequence[Change]
    ) -> dict[int, Receipt]:
        """Every row's receipt. Rows that Google names are left out and the others sent again."""
        receipts: dict[int, Receipt] = {}
        part = upload
        for left in range(ROUNDS, -1, -1):
            try:
                job, proof = self._send(known, part)
            except faults.RowsRefused as error:
                beyond = [row for row in error.rows if row >= len(part.people)]
                if beyond or not left:
                    raise
                for row, why in error.rows.items():
                    for place in part.places[row]:
                        receipts[place] = Receipt(changes[place].member, "rejected", reason=why)
                part = part.part([n for n in range(len(part.people)) if n not in error.rows])
                if not part.people:
                    return receipts
                continue
            self._pending.setdefault(target.id, set()).add(job)
            for place in (place for places in part.places for place in places):
                member = changes[place].member
                receipts[place] = Receipt(member, "confirmed", proof=proof, job=job)
            return receipts
        raise AssertionError("the last round returns or raises")

    def _send(self, known: str, upload: Upload) -> tuple[str, str]:
        """One request: Google's id of the work, and the proof. Raises RowsRefused."""
        body: dict[str, Any] = {
            "destinations": self._there(known),
            "audienceMembers": upload.members(),
            "encoding": "HEX",
        }
        if upload.op == "remove":
            answer = self._connection.members("remove", body)
        else:
            answer = self._connection.members("ingest", {**body, **GRANTED})
        job = _request_id(answer)
        warned = answer.get("fieldWarnings")
        warnings = f", {len(warned)} warnings" if isinstance(warned, list) and warned else ""
        return job, f"200 request {job}{warnings}"

    def _there(self, known: str) -> list[dict[str, Any]]:
        """Where a request goes: the account, the way to it, and the list."""
        there: dict[str, Any] = {
            "operatingAccount": {"accountId": self.options.account, "accountType": "GOOGLE_ADS"},
            "productDestinationId": known,
        }
        if self.options.login:
            login = {"accountId": self.options.login, "accountType": "GOOGLE_ADS"}
            there["loginAccount"] = login
        return [there]


def _request_id(answer: Mapping[str, Any]) -> str:
    """Google's id of the work. Raises OutcomeUnknown: an answer without one proves nothing."""
    found = answer.get("requestId")
    if not isinstance(found, str) or not _REQUEST.fullmatch(found):
        raise OutcomeUnknown(
            "Google took a request but names no work.", hint="Run again: the same rows are sent"
        )
    return found


def _unsettled(upload: Upload, changes: Sequence[Change], error: Exception) -> dict[int, Receipt]:
    """Receipts of rows whose request failed after others were through."""
    verdict, reason = unsettled(error)
    return {
        place: Receipt(changes[place].member, verdict, reason=reason)
        for places in upload.places
        for place in places
    }
