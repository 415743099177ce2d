"""Writes customer lists. No member can be read back; what an upload refuses is told by index."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from audiencehub.connector import Capabilities, Context, Destination, mark_of, unsettled
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import (
    Ceiling,
    Change,
    Figures,
    Need,
    Receipt,
    TagOption,
    Target,
)
from connectors.microsoft_ads import faults, lists
from connectors.microsoft_ads.api import Api, partial, proof
from connectors.microsoft_ads.items import KINDS, MOST_ITEMS, Fates, Items, prepare
from connectors.microsoft_ads.options import Options
from connectors.microsoft_ads.whole import whole

MARK = re.compile(r"\[([0-9a-f]{12}:[0-9]+)\]$")
EXTRA_CALLS = 40
"""Further calls that one batch may cost to find items that Microsoft refuses without an index."""
_FAULTS = (OutcomeUnknown, BatchRefused, Wait, Stop)


class MicrosoftAds(Destination):
    """One customer list per segment, kept by adding and removing items of one kind at a time."""

    can: Capabilities = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=MOST_ITEMS,
        platform="microsoft",
        identifiers=("email", "external_id"),
        need=Need("advertising", "ads"),
        minimum=300,
        remembers=True,
        mixed=True,
        replaces=True,
        counts=True,
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.options = options = Options(**context.options)
        days = options.membership_days
        self.can = replace(
            type(self).can,
            identifiers=tuple(KINDS) if options.unverified_identifiers else self.can.identifiers,
            lifetime=timedelta(days=days) if days else None,
            ceilings=(
                Ceiling(
                    "calls of the account (Microsoft publishes no limit)",
                    options.calls_per_minute,
                    60.0,
                ),
            ),
        )
        self._api = Api(context, options)

    def check(self) -> str:
        """One look at the account's customer lists. Raises Stop without access."""
        found = lists.every(self._api)
        return (
            f"account {self.options.account_id} of customer {self.options.customer_id}, "
            f"{len(found)} customer lists"
        )

    def ensure(
        self,
        target: Target,
        options: Sequence[TagOption],  # noqa: ARG002 - lists have none
    ) -> Mapping[str, str]:
        """`{"audience_id": …}`: the list remembered, else the one marked as ours, else new.

        Another's list of the same name is never taken over: ours then carries part of its mark. One
        that was deleted by hand is not made again. Raises Stop, Wait, OutcomeUnknown (the next call
        finds what was made).
        """
        known = target.remote.get("audience_id")
        found = lists.one(self._api, known) if known else self._marked(target)
        if found is None and known:
            raise faults.error_of([faults.Error(faults.GONE)], "QueryByIds", writes=False)
        days = self.options.membership_days
        if found is None:
            mark = self._mark(target)
            made = {"Description": f"Kept by {self.options.namespace}; edit the rule. {mark}"}
            more = {**made, **({"MembershipDuration": days} if days else {})}
            return {"audience_id": lists.make(self._api, target.label or target.place, mark, more)}
        if days and found.get("MembershipDuration") != days:
            lists.change(self._api, str(found["Id"]), MembershipDuration=days)
        return {"audience_id": str(found["Id"])}

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Add and remove people. Once a first call is through, faults become receipts."""
        audience = self._audience(target)
        calls, receipts = prepare(changes)
        fates = Fates(changes)
        left = len(calls) + EXTRA_CALLS
        while calls:
            items = calls.pop(0)
            try:
                if not left:
                    raise Wait("Too many items to find at once.", hint="Run again")
                left -= 1
                self._settle(audience, items, fates)
            except BatchRefused as error:
                if len(items.values) == 1:
                    fates.note(items.places[0], "rejected", f"refused: {items.kind} item")
                elif left:
                    calls = [*items.halves(), *calls]
                else:
                    self._unsettled(items, fates, error)
            except (OutcomeUnknown, Wait, Stop) as error:
                if fates.empty:
                    raise
                self._unsettled(items, fates, error)
                if not isinstance(error, OutcomeUnknown):
                    # What this call was refused for, the others would be as well.
                    for one in calls:
                        self._unsettled(one, fates, error)
                    break
        receipts |= fates.receipts()
        return [receipts[place] for place in range(len(changes))]

    def replace(self, target: Target, keep: Sequence[Change], since: datetime) -> str:
        """Make the list hold these people alone; the number of calls and what they held.

        Microsoft replaces by calls of at most a thousand items, so that the list is short for as
        long as that takes; once begun, every fault is an OutcomeUnknown: run it again.
        """
        audience, done = self._audience(target), 0
        kinds = [KINDS[name] for name in self.can.identifiers]
        calls = whole(keep, kinds, f"{audience} {since.isoformat()}")
        try:
            for items in calls:
                reply, found = self._upload(audience, items)
                bad = [one for one in found if one.index is None or one.code not in faults.ROW]
                if bad:
                    raise faults.error_of(bad, reply.what, writes=True)
                done += 1
        except _FAULTS as error:
            if not done and not isinstance(error, BatchRefused):
                raise
            raise OutcomeUnknown(
                f"{target.id} is replaced in part: {error.message}",
                hint="Run again: the list is short until it is replaced whole",
            ) from None
        digest = hashlib.sha256("".join(one.digest for one in calls).encode()).hexdigest()[:16]
        return f"replaced in {done} calls, items {digest}"

    def figures(self, target: Target) -> Figures:
        """Between the larger of the two networks' counts and their sum; none for two days."""
        found = lists.one(self._api, self._audience(target))
        if found is None:
            return Figures("gone")
        return lists.figures(found, self.can.minimum or 0)

    def calls(self, target: Target, total: int) -> int:
        """A call for each kind of identifier and thousand people."""
        return len(self.can.identifiers) * super().calls(target, total)

    def replacing(self, target: Target, members: int) -> int:
        """Each kind replaced, by nobody's item where there is none, and everything added."""
        return 2 * len(self.can.identifiers) + self.calls(target, members)

    def remember(self, target: Target, mark: str) -> None:
        """In the list's description, behind the mark that it is found by."""
        said = f"Kept by {self.options.namespace}; edit the rule. {self._mark(target)} [{mark}]"
        lists.change(self._api, self._audience(target), Description=said)

    def recall(self, target: Target) -> str | None:
        """What the list's description ends with; None without a list or a line."""
        known = target.remote.get("audience_id")
        found = lists.one(self._api, known) if known else self._marked(target)
        line = MARK.search(str((found or {}).get("Description") or ""))
        return line[1] if line else None

    def setting_up(self, target: Target) -> int:
        """A token, a look at the list and its duration set; before the first time the lists looked
        through, and one made, under a second name where the first is taken."""
        return 3 if target.remote else 4

    def _audience(self, target: Target) -> str:
        audience = target.remote.get("audience_id")
        if not audience:
            raise Stop(f"{target.id} has no list yet.", hint="Run: audiencehub sync")
        return audience

    def _settle(self, audience: str, items: Items, fates: Fates) -> None:
        """Send one call and note every item's fate. Raises what the whole call came to."""
        reply, found = self._upload(audience, items)
        unnamed = [one for one in found if one.index is None or one.index >= len(items.values)]
        about_all = [one for one in found if one.code in (faults.GONE, 8001, 8002, 8003)]
        if unnamed or about_all:
            raise faults.error_of(unnamed or about_all, reply.what, writes=True)
        named = {one.index: one.code for one in found}
        shown = proof(reply, items.digest)
        for number, places in enumerate(items.places):
            code = named.get(number)
            if code is None:
                fates.note(places, "confirmed", shown)
            elif code == 0 or code in faults.THROTTLED:
                fates.note(places, "unknown", f"not_settled: Microsoft answers {code}")
            else:
                fates.note(places, "rejected", f"refused: Microsoft answers {code}")

    def _upload(self, audience: str, items: Items) -> tuple[Any, list[faults.Error]]:
        data: dict[str, Any] = {
            "ActionType": items.action,
            "AudienceId": audience,
            "CustomerListItemSubType": items.kind,
            "CustomerListItems": list(items.values),
        }
        if self.options.accept_terms:
            data["AcceptCustomerMatchTerm"] = True
        reply, document = self._api.call(
            "POST", "CustomerListUserData/Apply", {"CustomerListUserData": data}, writes=True
        )
        return reply, partial(reply, document)

    @staticmethod
    def _unsettled(items: Items, fates: Fates, error: Exception) -> None:
        """Fates of items whose call failed after others were through."""
        verdict, reason = unsettled(error)
        for places in items.places:
            fates.note(places, verdict, reason)

    def _marked(self, target: Target) -> Mapping[str, Any] | None:
        """The list made for this target in a run that did not live to remember it."""
        mark = self._mark(target)
        ours = [one for one in lists.every(self._api) if mark in str(one.get("Description") or "")]
        return min(ours, key=lambda one: int(one["Id"]), default=None)

    def _mark(self, target: Target) -> str:
        return mark_of(self.options.namespace, target)
