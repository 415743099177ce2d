"""Writes custom audiences. No member can be read back, and TikTok tells nothing of single rows: a
call succeeds or fails whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from audiencehub.connector import Capabilities, Context, Destination, mark_of, unsettled
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import Change, Figures, Need, Receipt, TagOption, Target, Verdict
from connectors.tiktok_ads.client import Client, named, request_id
from connectors.tiktok_ads.faults import ANEW, Gone
from connectors.tiktok_ads.options import Options
from connectors.tiktok_ads.upload import MOST_ROWS, SCHEMA, Upload, prepare

MINIMUM = 1_000
"""Members below which an ad group cannot target the audience."""
MOST_AUDIENCES = 400
"""Per advertiser, as published connectors have it."""
LONGEST_NAME = 70
"""Characters; TikTok cuts a longer name off without saying so, and the mark with it."""
_BATCH_FAULTS = (OutcomeUnknown, BatchRefused, Wait, Stop)


class TikTokAds(Destination):
    """One custom audience per segment, kept by adding and deleting hashed identifiers."""

    can: Capabilities = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=MOST_ROWS,
        platform="tiktok",
        identifiers=tuple(SCHEMA),
        need=Need("advertising", "ads"),
        minimum=MINIMUM,
        counts=True,
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.options = Options(**context.options)
        self._client = Client(context, self.options)

    def check(self) -> str:
        """One page of the advertiser's audiences. Raises Stop without access."""
        self._client.get("dmp/custom_audience/list/", page=1, page_size=1)
        return f"advertiser {self.options.advertiser_id}, API v1.3"

    def ensure(
        self,
        target: Target,
        options: Sequence[TagOption],  # noqa: ARG002 - lists have none
    ) -> Mapping[str, str]:
        """`{"audience_id": …, "mark": …}`: the audience remembered, else the one whose name ends
        with our mark, else a new one.

        One that was deleted or has expired is not made again by itself: it would be empty where
        the hub believes members. Raises Stop, Wait, OutcomeUnknown (the next call finds what was
        made, once TikTok shows it).
        """
        mark, known = self._mark(target), self._remembered(target)
        if known:
            found = self._client.audience(known)
            if found and self._expired(found):
                raise Stop(f"The audience {known} at TikTok has expired.", hint=ANEW)
            return {"audience_id": known, "mark": mark}
        every = list(self._client.audiences())
        # An audience that another account shares with ours is not ours to fill.
        own = [one for one in every if one.get("is_creator") is not False]
        ours = [str(one["audience_id"]) for one in own if str(one.get("name")).endswith(mark)]
        ours = [one for one in ours if one.isdecimal()]
        if not ours and len(own) >= MOST_AUDIENCES:
            raise Stop(
                f"The advertiser has {len(own)} audiences, as many as TikTok allows.",
                hint="Delete audiences that no ad group uses in Ads Manager",
            )
        return {"audience_id": min(ours, key=int) if ours else self._made(target), "mark": mark}

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Add and delete people. Once a first call is through, faults become receipts."""
        audience = self._audience(target)
        uploads, receipts = prepare(changes)
        for number, upload in enumerate(uploads):
            verdict: Verdict = "confirmed"
            proof: str | None = None
            reason: str | None = None
            try:
                proof = self._sent(audience, upload)
            except _BATCH_FAULTS as error:
                if number == 0:
                    raise
                verdict, reason = unsettled(error)
            for place in (place for places in upload.places for place in places):
                receipts[place] = Receipt(changes[place].member, verdict, proof, reason)
        return [receipts[place] for place in range(len(changes))]

    def figures(self, target: Target) -> Figures:
        """Size by TikTok's count of people it found (`cover_num`, Get audience details); no match
        rate. What TikTok does not show yet is building: it shows a new audience within 48 hours."""
        try:
            found = self._client.audience(self._audience(target))
        except Gone:
            return Figures("gone")
        if found is None:
            return Figures("building", detail="not shown yet")
        count = found.get("cover_num")
        known = isinstance(count, int) and not isinstance(count, bool) and count >= 0
        size = (count, count) if isinstance(count, int) and known else None
        if self._expired(found):
            return Figures("gone", size, detail="expired")
        if found.get("error_msg"):
            return Figures("blocked", size, detail="TikTok reports an error")
        if found.get("is_valid") is not True:
            return Figures("building", size, detail="not valid yet")
        small = size is not None and size[0] < MINIMUM
        detail = "about to expire" if found.get("is_expiring") is True else ""
        return Figures("too_small" if small else "ready", size, detail=detail)

    def calls(self, target: Target, total: int) -> int:
        """One call a thousand rows, and at most one more to see whether a refusal is the rows'."""
        return min(2 * total, super().calls(target, total) + 1)

    def setting_up(self, target: Target) -> int:
        """A look at the audience; before the first time it is looked for and made. Each further
        hundred audiences of the advertiser cost a call more."""
        return 1 if self._remembered(target) else 2

    def _sent(self, audience: str, upload: Upload) -> str:
        """Proof that the call was taken."""
        body = upload.body(self.options.advertiser_id, audience)
        try:
            reply, _ = self._client.post("segment/mapping/", body, rows=len(upload.rows))
        except BatchRefused as refused:
            # An audience that is not the advertiser's is refused the same way, and no row's fault.
            if self._client.audience(audience) is None:
                raise Stop(
                    f"{refused.message} TikTok does not show the audience {audience}, either.",
                    hint=f"Wait two days if it is new; else: {ANEW}",
                ) from None
            raise
        digest = hashlib.sha256(reply.content).hexdigest()[:16]
        return f"{reply.status} code 0 request {request_id(reply)} reply {digest}"

    def _made(self, target: Target) -> str:
        mark = self._mark(target)
        label = " ".join((target.label or target.place).split())[: LONGEST_NAME - len(mark) - 1]
        name = f"{label.rstrip()} {mark}"
        body = {
            "advertiser_id": self.options.advertiser_id,
            "custom_audience_name": name,
            "action": "create",
        }
        return named(self._client.post("segment/audience/", body)[1])

    def _remembered(self, target: Target) -> str | None:
        """The audience's id; None where a new namespace asks for another."""
        same = target.remote.get("mark") == self._mark(target)
        return target.remote.get("audience_id") if same else None

    def _audience(self, target: Target) -> str:
        known = self._remembered(target)
        if not known:
            raise Stop(f"{target.id} has no audience yet.", hint="Run: audiencehub sync")
        return known

    def _expired(self, audience: Mapping[str, Any]) -> bool:
        """Past `expired_time`, `YYYY-MM-DD HH:MM:SS` in GMT."""
        try:
            until = datetime.fromisoformat(str(audience.get("expired_time")))
        except ValueError:
            return False
        return until.replace(tzinfo=until.tzinfo or UTC) <= self.context.now

    def _mark(self, target: Target) -> str:
        """What the names of our audiences end with; the segment API keeps no description."""
        return mark_of(self.options.namespace, target, 10)
