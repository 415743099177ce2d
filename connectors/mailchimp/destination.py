"""Writes Mailchimp tags. Whether somebody may be mailed stays Mailchimp's affair and the person's:
being tagged subscribes nobody, being untagged unsubscribes or archives nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from audiencehub.connector import MAKE_ANEW, Capabilities, Context, Destination, unsettled
from audiencehub.connector.addresses import NAMES, Row, receipts, rows_of
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import Change, Figures, Need, Receipt, TagOption, Target
from connectors.mailchimp import tags
from connectors.mailchimp.api import Api
from connectors.mailchimp.options import Options
from connectors.mailchimp.tags import Standing, Tag

LONGEST_NAME = 100
_FAULTS = (OutcomeUnknown, BatchRefused, Wait, Stop)
_STRANGER = "not_in_audience: Mailchimp has no such contact in the audience"
_ARCHIVED = "archived: the contact is archived, and tags do not bring contacts back"
Receipts = dict[int, Receipt]


class Mailchimp(Destination):
    """One tag per segment, in one audience."""

    can: Capabilities = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=tags.MOST,
        platform="mailchimp",
        identifiers=("email",),
        need=Need("marketing", "email"),
        mixed=True,
        counts=True,
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.options = Options(**context.options)
        if self.options.names and self.options.create != "never":
            self.can = replace(type(self).can, identifiers=("email", *NAMES))
        self._api = Api(context)

    def check(self) -> str:
        """One read of the audience. Raises Stop without access."""
        audience = self.options.audience_id
        fields = {"fields": "id,name,stats.member_count"}
        found = self._api.read(f"lists/{audience}", fields)
        if found is None:
            raise tags.no_audience(audience)
        stats = found.get("stats")
        count = stats.get("member_count") if isinstance(stats, Mapping) else None
        return f"audience {audience}, {count} subscribed"

    def ensure(
        self,
        target: Target,
        options: Sequence[TagOption],  # noqa: ARG002 - lists have none
    ) -> Mapping[str, str]:
        """`{"tag_id": …}`: the tag remembered, else the one with our mark in its name, else new.

        One that was deleted by hand is not made again. Raises Stop, Wait, OutcomeUnknown (the next
        call finds what was made).
        """
        audience = self.options.audience_id
        known = target.remote.get("tag_id")
        if known and not Tag(self._api, audience, known).exists():
            raise Stop(
                f"The tag of {target.id} does not exist any more.",
                hint=MAKE_ANEW,
            )
        mark = f"[{self.options.namespace}:{target.place}]"
        found = known or tags.ending(self._api, audience, mark)
        if not found:
            label = (target.label or target.place)[: LONGEST_NAME - len(mark) - 1]
            found = tags.make(self._api, audience, f"{label} {mark}")
        return {"tag_id": found}

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Tag and untag people. Once a first call is through, faults become receipts."""
        tag = self._tag(target)
        adds, removals, found = rows_of(changes, names=True)
        sent = False
        for more, fewer in _calls(adds, removals):
            try:
                found |= self._change(tag, more, fewer, changes)
            except _FAULTS as error:
                if not sent:
                    raise
                found |= _unsettled(changes, [*more, *fewer], error)
            sent = True
        return [found[place] for place in range(len(changes))]

    def calls(self, target: Target, total: int) -> int:
        """At most, where one in twenty is no contact: a call per batch, and a look at each contact
        that the reply leaves open; with `create`, a look at everybody."""
        batches = super().calls(target, total)
        if self.options.create == "never":
            return batches + tags.FEW * batches
        return total + 3 * batches

    def setting_up(self, target: Target) -> int:
        """A look at the tag; before the first time it is looked for and made. Each further thousand
        tags of the audience cost a call more."""
        return 1 if target.remote else 3

    def figures(self, target: Target) -> Figures:
        """How many contacts have the tag, whether they may be mailed or not."""
        count = self._tag(target).size()
        return Figures("gone") if count is None else Figures("ready", (count, count))

    def _tag(self, target: Target) -> Tag:
        number = target.remote.get("tag_id")
        if not number:
            raise Stop(f"{target.id} has no tag yet.", hint="Run: audiencehub sync")
        return Tag(self._api, self.options.audience_id, number)

    def _change(
        self, tag: Tag, adds: Sequence[Row], removals: Sequence[Row], changes: Sequence[Change]
    ) -> Receipts:
        """One call, and a verdict for all its rows."""
        added, removed = tag.change(adds, removals)
        there = [row for row in adds if row.email in added]
        gone = [row for row in removals if row.email in removed]
        found = receipts(changes, there, "confirmed", proof=f"200 tag {tag.number} added")
        found |= receipts(changes, gone, "confirmed", proof=f"200 tag {tag.number} removed")
        open_adds = [row for row in adds if row.email not in added]
        open_removals = [row for row in removals if row.email not in removed]
        try:
            if open_removals:
                found |= _removed(changes, open_removals, tag.standings(open_removals))
            if open_adds:
                creates = self.options.create == "transactional"
                standings = tag.standings(open_adds, each=creates)
                made = {one for one, how in standings.items() if creates and how == "stranger"}
                # Whatever becomes of these, the others were seen.
                seen = [row for row in open_adds if row.email not in made]
                found |= _added(changes, seen, standings)
                if made:
                    new = [row for row in open_adds if row.email in made]
                    found |= self._introduced(tag, new, changes)
        except _FAULTS as error:
            rest = [
                row for row in (*open_adds, *open_removals) if not set(row.places) <= found.keys()
            ]
            reason = f"{type(error).__name__.lower()}: sent, and not seen"
            found |= receipts(changes, rest, "unknown", reason=reason)
        return found

    def _introduced(self, tag: Tag, rows: Sequence[Row], changes: Sequence[Change]) -> Receipts:
        """Strangers made contacts, and tagged; nobody else: an archived contact that is added again
        would be brought back."""
        made = tags.introduce(self._api, tag.audience, rows)
        fresh = [row for row in rows if row.email in made]
        added = tag.change(fresh, [])[0] if fresh else set()
        now: dict[str, Standing] = {
            row.email: "tagged" if row.email in added else "untagged" for row in fresh
        }
        refused = [row for row in rows if row.email not in made]
        reason = "not_created: Mailchimp takes no such contact, or had it permanently deleted"
        return _added(changes, fresh, now) | receipts(changes, refused, "rejected", reason=reason)


def _calls(adds: list[Row], removals: list[Row]) -> list[tuple[list[Row], list[Row]]]:
    """What goes into each call. Who is in both is untagged first, for another tags them still."""
    if {row.email for row in adds} & {row.email for row in removals}:
        return [*_calls([], removals), *_calls(adds, [])]
    longest = max(len(adds), len(removals))
    return [
        (adds[start : start + tags.MOST], removals[start : start + tags.MOST])
        for start in range(0, longest, tags.MOST)
    ]


def _added(
    changes: Sequence[Change], rows: Sequence[Row], standings: Mapping[str, Standing]
) -> Receipts:
    found: Receipts = {}
    for row in rows:
        standing = standings[row.email]
        if standing == "tagged":
            found |= receipts(changes, [row], "confirmed", proof="200 seen with the tag")
        elif standing == "untagged":
            found |= receipts(changes, [row], "retry", reason="not_tagged: left out, and a contact")
        else:
            reason = _ARCHIVED if standing == "archived" else _STRANGER
            found |= receipts(changes, [row], "rejected", reason=reason)
    return found


def _removed(
    changes: Sequence[Change], rows: Sequence[Row], standings: Mapping[str, Standing]
) -> Receipts:
    there = [row for row in rows if standings[row.email] == "tagged"]
    absent = [row for row in rows if standings[row.email] != "tagged"]
    return receipts(changes, there, "retry", reason="still_tagged: left out") | receipts(
        changes, absent, "confirmed", proof="200 seen without the tag"
    )


def _unsettled(changes: Sequence[Change], rows: Sequence[Row], error: Exception) -> Receipts:
    """Receipts of rows whose call failed after others were through."""
    verdict, reason = unsettled(error)
    return receipts(changes, rows, verdict, reason=reason)
