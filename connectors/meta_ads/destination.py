"""Writes custom audiences. No member can be read back, so that only Meta's counts are proof."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from audiencehub.connector import MAKE_ANEW, Capabilities, Context, Destination, mark_of
from audiencehub.errors import OutcomeUnknown, Stop
from audiencehub.model import (
    Ceiling,
    Change,
    Figures,
    Need,
    Quota,
    Receipt,
    TagOption,
    Target,
)
from audiencehub.privacy.identifiers import VALUE
from connectors.meta_ads import faults, lookalikes, standing, whole
from connectors.meta_ads.graph import Graph
from connectors.meta_ads.options import Options
from connectors.meta_ads.policy import suggests
from connectors.meta_ads.sending import FAULTS, Sender, left_open
from connectors.meta_ads.upload import (
    MOST_ROWS,
    Upload,
    limited_use,
    nobody,
    prepare,
)

MARK = re.compile(r"\[([0-9a-f]{12}:[0-9]+)\]$")
WORTH = "values"
"""What is remembered of an audience that takes values."""


class MetaAds(Destination):
    """One custom audience per segment, kept by adding and removing hashed identifiers."""

    can: Capabilities = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=MOST_ROWS,
        platform="meta",
        identifiers=("email", "phone", "first_name", "last_name", "zip", "country", "external_id"),
        need=Need("advertising", "ads"),
        minimum=100,
        remembers=True,
        replaces=True,
        counts=True,
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.options = options = Options(**context.options)
        ceiling = Ceiling("calls for the ad account", options.calls_per_hour, 3600.0)
        self.can = replace(
            type(self).can,
            identifiers=(*self.can.identifiers, *([VALUE] if options.values else [])),
            ceilings=(ceiling,),
        )
        self._graph = Graph(context, options)
        self._sender = Sender(self._graph)

    def check(self) -> str:
        """One read of the ad account. Raises Stop without access or accepted terms."""
        account = self.options.account
        fields = {"fields": "name,account_status,tos_accepted"}
        found = self._graph.call("GET", account, fields)
        if not (found.get("tos_accepted") or {}).get("custom_audience_tos"):
            raise faults.error_of({"code": 2655}, {}, account, writes=False)
        if found.get("account_status") == 2:
            raise Stop(f"The ad account {account} is disabled.", hint="Reopen it in Ads Manager")
        return f"ad account {account}, API {self.options.api_version}, terms accepted"

    def ensure(
        self,
        target: Target,
        options: Sequence[TagOption],  # noqa: ARG002 - lists have none
    ) -> Mapping[str, str]:
        """`{"audience_id": …}`: the audience remembered, else the one marked as ours, else new.

        With `"values"` where it takes values, and with `"lookalike_id"` once Meta has matched
        enough people for the lookalike that the settings want. Another's audience of the same name
        is never taken over. One that was deleted by hand is not made again. Raises Stop, Wait,
        OutcomeUnknown (the next call finds what was made).
        """
        known = target.remote.get("audience_id") or self._marked(target) or self._made(target)
        found = self._graph.call("GET", known, {"fields": standing.FIELDS})
        if standing.flagged(found):
            raise faults.error_of({"error_subcode": 1713230}, {}, known, writes=False)
        remote = {"audience_id": known}
        if found.get("is_value_based"):
            remote[WORTH] = "yes"
        elif target.place in self.options.values:
            raise Stop(
                f"{target.id} was made without values, and Meta cannot give it any.",
                hint="Take the segment out of options.values; or delete the audience in Ads "
                "Manager. " + MAKE_ANEW,
            )
        if target.place in self.options.lookalikes:
            made = target.remote.get(lookalikes.REMOTE)
            if made:
                remote[lookalikes.REMOTE] = made
            elif standing.matched(found):
                remote |= lookalikes.kept(self._graph, self.options, target, known)
        return remote

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Add and remove people. Once a first upload is through, faults become receipts."""
        audience = self._audience(target)
        uploads, receipts = self._prepared(target, changes)
        sent = False
        for upload in uploads:
            try:
                receipts |= self._sender.settle(target.id, audience, upload, changes)
            except FAULTS as error:
                if not sent:
                    raise
                receipts |= left_open(upload, changes, error)
            sent = True
        return [receipts[place] for place in range(len(changes))]

    def replace(self, target: Target, keep: Sequence[Change], since: datetime) -> str:
        """Make the audience hold these people alone, in one session; the proof.

        Until the session's last batch nothing changes. Rows whose columns do not fit the session's
        are added after it; that is an OutcomeUnknown while Meta still works on the session, and
        found done by the next call. Raises Stop, Wait (while another replacement is under way).
        """
        audience, salt = self._audience(target), f"{target.id} {since.isoformat()}"
        rows, others = whole.parts(self._prepared(target, keep)[0])
        filler = nobody(salt, worth=WORTH in target.remote)
        proof = whole.replaced(self._graph, audience, rows or filler, salt)
        try:
            if rows is None:
                # An audience cannot be replaced by nothing.
                others = [
                    replace(filler, op="remove", columns=("EMAIL",), rows=(filler.rows[0][:1],))
                ]
            for upload in others:
                self._sender.send(target.id, audience, upload)
        except FAULTS as error:
            raise OutcomeUnknown(
                f"{target.id} is replaced but for {len(others)} uploads: {error.message}",
                hint="Run again: the rest is added",
            ) from None
        return f"{proof}, {len(others)} uploads beside it"

    def figures(self, target: Target) -> Figures:
        """Meta's range and state: `blocked` is 471, `building` also a replacement under way."""
        try:
            found = self._graph.call("GET", self._audience(target), {"fields": standing.FIELDS})
        except faults.Gone:
            return Figures("gone")
        shown = standing.figures(found)
        if target.place in self.options.lookalikes:
            words = [shown.detail, lookalikes.told(target.remote)]
            return replace(shown, detail="; ".join(filter(None, words)))
        return shown

    def calls(self, target: Target, total: int) -> int:
        """Two uploads a batch at most: people with and without an id of the company's own go apart.
        Rows that Meta calls invalid without naming them cost more."""
        return min(total, 2 * super().calls(target, total))

    def replacing(self, target: Target, members: int) -> int:
        """A look at the audience; the batches of the session, and uploads of other columns."""
        return 2 + 2 * max(1, super().calls(target, members))

    def advice(self, target: Target, members: int) -> Sequence[str]:
        """Of size, and of a name that Meta may flag for what it suggests of people."""
        found = list(super().advice(target, members))
        if suggests(target.label or target.place):
            found.append(
                f"{target.destination} flags audiences whose names suggest health or finances (471)"
                f": call {target.place} something else"
            )
        return found

    def remember(self, target: Target, mark: str) -> None:
        """In the audience's description, behind the mark that it is found by."""
        said = f"Kept by {self.options.namespace}. {self._mark(target)} [{mark}]"
        self._graph.call("POST", self._audience(target), {"description": said})

    def recall(self, target: Target) -> str | None:
        """What the audience's description ends with; None without an audience or a line."""
        known = target.remote.get("audience_id") or self._marked(target)
        if not known:
            return None
        said = self._graph.call("GET", known, {"fields": "description"}).get("description")
        found = MARK.search(str(said or ""))
        return found[1] if found else None

    def setting_up(self, target: Target) -> int:
        """A look at the audience; before the first time it is looked for and made; the same for a
        lookalike. Each further hundred audiences of the account cost a call more."""
        wanted = target.place in self.options.lookalikes
        alike = 2 if wanted and lookalikes.REMOTE not in target.remote else 0
        return (1 if target.remote else 3) + alike

    def quota(self) -> Quota | None:
        """Percent of the ad account's hourly allowance left (`Graph.quota`)."""
        return self._graph.quota()

    def _audience(self, target: Target) -> str:
        audience = target.remote.get("audience_id")
        if not audience:
            raise Stop(f"{target.id} has no audience yet.", hint="Run: audiencehub sync")
        return audience

    def _made(self, target: Target) -> str:
        made = self._graph.call(
            "POST",
            f"{self.options.account}/customaudiences",
            {
                "name": target.label or target.place,
                "subtype": "CUSTOM",
                "description": self._description(target),
                "customer_file_source": self.options.customer_file_source,
                **({"is_value_based": True} if target.place in self.options.values else {}),
            },
        )
        known = str(made.get("id") or "")
        if not known.isdecimal():
            raise OutcomeUnknown(
                "Meta made an audience but named none.",
                hint="Run again: it is found by its description",
            )
        return known

    def _prepared(
        self, target: Target, changes: Sequence[Change]
    ) -> tuple[list[Upload], dict[int, Receipt]]:
        more = limited_use(self.options.limited_data_use)
        return prepare(changes, worth=WORTH in target.remote, more=more)

    def _marked(self, target: Target) -> str | None:
        """The audience made for this target in a run that did not live to remember it."""
        mark = self._mark(target)
        every = self._graph.audiences("name,description")
        ours = [str(one["id"]) for one in every if mark in str(one.get("description") or "")]
        return min(ours, key=int, default=None)

    def _mark(self, target: Target) -> str:
        return mark_of(self.options.namespace, target)

    def _description(self, target: Target) -> str:
        return f"Kept by {self.options.namespace}; edit the rule instead. {self._mark(target)}"
