"""Writes matched audiences. No member can be read back, so that each element's status is proof."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from audiencehub.connector import Capabilities, Context, Destination, unsettled
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import Change, Figures, Need, Receipt, TagOption, Target, Verdict
from connectors.linkedin_ads.client import CEILINGS, Client, whole
from connectors.linkedin_ads.elements import MOST_ELEMENTS, Call, prepare, verdicts
from connectors.linkedin_ads.faults import ANEW, gone
from connectors.linkedin_ads.options import Options

MINIMUM = 300
"""Members below which a campaign cannot use the audience (Matched Audiences)."""
_BATCH_FAULTS = (OutcomeUnknown, BatchRefused, Wait, Stop)
_PAGE = 100
_STATES: Mapping[str, str] = {
    "BUILDING": "building",
    "UPDATING": "building",
    "READY": "ready",
    # Unused for 30 days; campaigns may still use it (Matched Audiences FAQ).
    "ARCHIVED": "ready",
    "EXPIRED": "gone",
    "FAILED": "blocked",
    "ERROR": "blocked",
}
"""A segment's status to the hub's word for it."""


class LinkedInAds(Destination):
    """One DMP segment per segment of ours: of people by hashed e-mail, or of companies."""

    can: Capabilities = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=MOST_ELEMENTS,
        platform="linkedin",
        identifiers=("email", "first_name", "last_name", "country"),
        need=Need("advertising", "ads"),
        mixed=True,
        counts=True,
        minimum=MINIMUM,
        ceilings=(CEILINGS["USER"],),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.options = Options(**context.options)
        self._client = Client(context, self.options)
        if self.options.members == "companies":
            # What it can do is the settings entry's word, so that no other instance sees it.
            vars(self)["can"] = replace(
                type(self).can,
                members="account",
                identifiers=("company_domain", "organization_urn", "company_name"),
                need=None,
                # The 300 are people, whom a few companies have.
                minimum=None,
                ceilings=(CEILINGS["COMPANY"],),
            )

    def check(self) -> str:
        """One page of the account's segments. Raises Stop without access."""
        if self._client.get("dmpSegments", self._finder(count=1)) is None:
            raise Stop("LinkedIn knows no DMP segments.", hint="Check api_version in deployments/")
        options = self.options
        return f"ad account {options.account_id}, API {options.api_version}, {options.members}"

    def ensure(
        self,
        target: Target,
        options: Sequence[TagOption],  # noqa: ARG002 - lists have none
    ) -> Mapping[str, str]:
        """`{"segment_id": …, "source_id": …}`: the one remembered, else the one marked as ours,
        else a new one.

        One that was deleted, expired or failed is not made again by itself: it would be empty
        where the hub believes members. Raises Stop, Wait, OutcomeUnknown (the next call finds what
        was made).
        """
        source = self._source_id(target)
        known = self._remembered(target)
        if known:
            found = self._client.get(f"dmpSegments/{known}")
            if found is None:
                raise gone(known)
            self._same_kind(known, found)
        else:
            found = min(self._ours(source), key=lambda one: int(one["id"]), default=None)
            known = str(found["id"]) if found else self._made(target, source)
        self._usable(known, _destination(found)[0] if found else "")
        return {"segment_id": known, "source_id": source}

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Add and remove in one call. Once a first call is through, faults become receipts."""
        segment = self._segment(target)
        calls, receipts = prepare(changes, self.options.type)
        for number, call in enumerate(calls):
            try:
                found = self._sent(segment, call, target, first=number == 0)
            except _BATCH_FAULTS as error:
                if number == 0:
                    raise
                found = [unsettled(error)] * len(call.elements)
            for (verdict, why), places in zip(found, call.places, strict=True):
                for place in places:
                    proof = why if verdict == "confirmed" else None
                    reason = None if verdict == "confirmed" else why
                    receipts[place] = Receipt(changes[place].member, verdict, proof, reason)
        return [receipts[place] for place in range(len(changes))]

    def figures(self, target: Target) -> Figures:
        """Size by LinkedIn's count, which drops doubles and lags; matches of the last seven days
        (DMP Segment Destinations)."""
        found = self._client.get(f"dmpSegments/{self._segment(target)}")
        if found is None:
            return Figures("gone")
        status, counts = _destination(found)
        state: Any = _STATES.get(status, "building")
        size = whole(counts.get("audienceSize"))
        if state == "ready" and size is not None and size < MINIMUM:
            state = "too_small"
        matched = whole(counts.get("matchedCount"))
        sent = whole(counts.get("inputCount", found.get("inputCount")))
        share = min(1.0, matched / sent) if matched is not None and sent else None
        return Figures(
            state,
            size=None if size is None else (size, size),
            match=None if share is None else (share, share),
            detail=status,
        )

    def calls(self, target: Target, total: int) -> int:
        """One call a batch; two where the same member is added and removed in it."""
        return min(total, super().calls(target, total) + 1)

    def setting_up(self, target: Target) -> int:
        """A look at the segment; before the first time it is looked for and made. A login where
        access tokens are fetched; each further hundred segments of that mark cost a call more."""
        return (1 if self._remembered(target) else 2) + (self.options.refresh_token is not None)

    def _remembered(self, target: Target) -> str | None:
        """The segment's id; None where a new namespace asks for another."""
        same = target.remote.get("source_id") == self._source_id(target)
        return target.remote.get("segment_id") if same else None

    def _segment(self, target: Target) -> str:
        known = self._remembered(target)
        if not known:
            raise Stop(f"{target.id} has no segment yet.", hint="Run: audiencehub sync")
        return known

    def _made(self, target: Target, source: str) -> str:
        made = self._client.create(
            "dmpSegments",
            {
                "name": target.label or target.place,
                "type": self.options.type,
                "sourcePlatform": self.options.source_platform,
                "sourceSegmentId": source,
                "account": self.options.account,
                "accessPolicy": "PRIVATE",
                "destinations": [{"destination": "LINKEDIN"}],
            },
        )
        if not made.isdecimal():
            raise OutcomeUnknown(
                "LinkedIn made a segment but named none.",
                hint="Run again: it is found by its sourceSegmentId",
            )
        return made

    def _same_kind(self, segment: str, found: Mapping[str, Any]) -> None:
        """Raise where the option `members` was changed under a segment: whom it holds could neither
        be asked for consent any more, nor be taken out."""
        if found.get("type", self.options.type) != self.options.type:
            raise Stop(
                f"The segment {segment} is of type {found['type']}, not {self.options.type}.",
                hint="Set `members` back; companies and people take two destinations",
            )

    def _usable(self, segment: str, status: str) -> None:
        if status == "EXPIRED":
            raise Stop(
                f"The segment {segment} expired: no campaign has used it for 90 days.",
                hint=ANEW,
            )
        if status in ("FAILED", "ERROR"):
            raise Stop(
                f"LinkedIn could not build the segment {segment} ({status}).",
                hint="Look at it in Campaign Manager; ask LinkedIn's support, naming its id",
            )

    def _ours(self, source: str) -> Iterator[Mapping[str, Any]]:
        """Segments of this mark and type; people and companies may share a mark."""
        seen: set[str] = set()
        while True:
            page = self._client.get("dmpSegments", self._finder(source, start=len(seen))) or {}
            elements, paging = page.get("elements"), page.get("paging")
            if not isinstance(elements, list) or not all(isinstance(e, dict) for e in elements):
                raise Wait("LinkedIn's list of segments is unreadable.", hint="Run again later")
            ids = {str(one.get("id")) for one in elements}
            if elements and (ids & seen or not all(one.isdecimal() for one in ids)):
                raise Wait("LinkedIn's list of segments does not end.", hint="Run again later")
            seen |= ids
            for one in elements:
                if one.get("sourceSegmentId") == source and one.get("type") == self.options.type:
                    yield one
            total = whole(paging.get("total")) if isinstance(paging, dict) else None
            if not elements or (len(elements) < _PAGE if total is None else len(seen) >= total):
                return

    def _finder(self, source: str = "", *, start: int = 0, count: int = _PAGE) -> dict[str, Any]:
        found = {"q": "account", "account": self.options.account, "start": start, "count": count}
        platform = {"sourcePlatform": self.options.source_platform, "sourceSegmentId": source}
        return {**found, **platform} if source else found

    def _source_id(self, target: Target) -> str:
        """The mark that a segment of ours is found by: `<namespace>-<16 hex digits>`."""
        space = self.options.namespace
        mark = hashlib.sha256(f"{space}|{target.id}".encode()).hexdigest()[:16]
        return f"{space}-{mark}"

    def _sent(
        self, segment: str, call: Call, target: Target, *, first: bool
    ) -> list[tuple[Verdict, str]]:
        """Per element its verdict, and proof or reason."""
        path = "companies" if self.options.type == "COMPANY" else "users"
        try:
            reply = self._client.batch(f"dmpSegments/{segment}/{path}", list(call.elements))
        except Wait:
            # A segment that LinkedIn does not know yet, and one that it knows no more, look alike.
            if first and self._client.absent and self._client.get(f"dmpSegments/{segment}") is None:
                raise gone(segment) from None
            raise
        found = verdicts(call, reply.json())
        if found is None:
            raise OutcomeUnknown(
                f"LinkedIn's answer to {len(call.elements)} elements is about others.",
                hint="Run again: the same elements are sent anew",
            )
        _same_refusal(found, target)
        digest = hashlib.sha256(reply.content).hexdigest()[:16]
        proof = f"segment {segment} reply {digest}"
        return [
            (verdict, f"{status} {proof}" if verdict == "confirmed" else why)
            for verdict, why, status in found
        ]


def _same_refusal(found: Sequence[tuple[Verdict, str, int]], target: Target) -> None:
    """Raise what every element says alike: no row of its own is to blame. 429: "Resource level
    throttle limit"."""
    said = {status for _, _, status in found}
    if said == {429}:
        raise Wait(f"{target.id}: LinkedIn takes no more for now (429).", hint="Run again later")
    if said and said <= {401, 403}:
        raise Stop(
            f"{target.id}: LinkedIn refuses every element ({min(said)}).",
            hint="Check that the token's member may manage audiences of this ad account",
        )


def _destination(segment: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Status and counts of what LinkedIn itself makes of the segment."""
    places = segment.get("destinations")
    for one in places if isinstance(places, list) else []:
        if isinstance(one, dict) and one.get("destination") == "LINKEDIN":
            return str(one.get("status") or ""), one
    return "", {}
