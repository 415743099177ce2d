"""Writes Klaviyo lists. Whether somebody may be mailed stays Klaviyo's affair and the person's:
being added subscribes nobody, being removed unsubscribes nobody and deletes no profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from audiencehub.connector import MAKE_ANEW, Capabilities, Context, Destination, unsettled
from audiencehub.connector.addresses import NAMES, Row, receipts, rows_of
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
from connectors.klaviyo import imports, members
from connectors.klaviyo.api import MEDIUM, Api
from connectors.klaviyo.options import Options

LONGEST_NAME = 120
_FAULTS = (OutcomeUnknown, BatchRefused, Wait, Stop)
Step = tuple[list[Row], Callable[[], dict[int, Receipt]]]


class Klaviyo(Destination):
    """One list per segment, kept by address."""

    can: Capabilities = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=imports.MOST_ROWS,
        platform="klaviyo",
        identifiers=("email",),
        need=Need("marketing", "email"),
        processes_later=True,
        counts=True,
        ceilings=(
            Ceiling("calls of one endpoint in a second", MEDIUM[0], 1.0),
            Ceiling("calls of one endpoint in a minute", MEDIUM[1], 60.0),
        ),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.options = Options(**context.options)
        if self.options.names:
            self.can = replace(type(self).can, identifiers=("email", *NAMES))
        self._api = Api(context, self.options)

    def check(self) -> str:
        """One read of the account, one of its lists. Raises Stop without access."""
        account = self._api.read("accounts", "accounts", {"fields[account]": "test_account"})
        self._api.read("lists", "lists", {"fields[list]": "name", "page[size]": 1})
        data = account["data"] if account else None
        first = data[0] if isinstance(data, list) and data else None
        if not isinstance(first, dict):
            raise Stop("The key belongs to no account.", hint="Make a key in Klaviyo's settings")
        return f"account {first.get('id')}, revision {self.options.revision}, lists readable"

    def ensure(
        self,
        target: Target,
        options: Sequence[TagOption],  # noqa: ARG002 - lists have none
    ) -> Mapping[str, str]:
        """`{"list_id": …}`: the list remembered, else the one with our mark in its name, else new.

        One that was deleted by hand is not made again. Raises Stop, Wait, OutcomeUnknown (the next
        call finds what was made).
        """
        known = target.remote.get("list_id")
        if known and self._api.read("list", f"lists/{known}", {"fields[list]": "name"}) is None:
            raise _gone(target)
        return {"list_id": known or self._marked(target) or self._made(target)}

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Add and remove people. Once a first call is through, faults become receipts."""
        audience = self._list(target)
        adds, removals, found = rows_of(changes, names=self.options.names)
        if removals:
            imports.await_end(self._api, audience, self.options.wait_seconds)
        sent = False
        for rows, step in self._steps(audience, adds, removals, changes):
            try:
                found |= step()
            except _FAULTS as error:
                if not sent:
                    raise
                found |= _unsettled(changes, rows, error)
            sent = True
        return [found[place] for place in range(len(changes))]

    def calls(self, target: Target, total: int) -> int:
        """At most: who is removed is looked up by dozens, and taken off by the thousand; an import
        is started once and looked at a few times."""
        looks = -(-total // 20) + 2 * -(-total // members.MOST_RELATED)
        return looks + 24 * super().calls(target, total)

    def setting_up(self, target: Target) -> int:
        """A look at the list; before the first time it is looked for and made. Each further ten
        lists of the account cost a call more."""
        return 1 if target.remote else 3

    def processed(self, target: Target, job: str) -> Processed:
        """How an import ended that a push did not wait for."""
        del target
        return imports.processed(self._api, job)

    def figures(self, target: Target) -> Figures:
        """How many profiles are on the list, whether they may be mailed or not."""
        params = {"additional-fields[list]": "profile_count"}
        body = self._api.read("list count", f"lists/{self._list(target)}", params)
        if body is None:
            return Figures("gone")
        attributes = body["data"].get("attributes") if isinstance(body["data"], dict) else None
        count = attributes.get("profile_count") if isinstance(attributes, dict) else None
        if not isinstance(count, int):
            return Figures("building", detail="no profile_count")
        return Figures("ready", (count, count))

    def _list(self, target: Target) -> str:
        audience = target.remote.get("list_id")
        if not audience:
            raise Stop(f"{target.id} has no list yet.", hint="Run: audiencehub sync")
        return audience

    def _steps(
        self,
        audience: str,
        adds: Sequence[Row],
        removals: Sequence[Row],
        changes: Sequence[Change],
    ) -> Iterator[Step]:
        """Removals first: an import that has not ended would keep them waiting."""
        for rows in _chunks(removals):
            yield rows, partial(self._remove, audience, rows, changes)
        if self.options.create_profiles:
            for rows in imports.uploads(adds):
                yield rows, partial(self._import, audience, rows, changes)
        else:
            for rows in _chunks(adds):
                yield rows, partial(self._relate, audience, rows, changes)

    def _remove(
        self, audience: str, rows: list[Row], changes: Sequence[Change]
    ) -> dict[int, Receipt]:
        off, absent, proof = members.off(self._api, audience, rows)
        return receipts(changes, off, "confirmed", proof=proof) | receipts(
            changes, absent, "confirmed", proof="200 not on the list"
        )

    def _relate(
        self, audience: str, rows: list[Row], changes: Sequence[Change]
    ) -> dict[int, Receipt]:
        on, unknown, proof = members.on(self._api, audience, rows)
        return receipts(changes, on, "confirmed", proof=proof) | receipts(
            changes, unknown, "rejected", reason="no_profile: Klaviyo does not know the address"
        )

    def _import(
        self, audience: str, rows: list[Row], changes: Sequence[Change]
    ) -> dict[int, Receipt]:
        """Rows that a refusal names are left out, once; whatever else is refused is refused."""
        job, blamed = imports.start(self._api, audience, rows)
        found: dict[int, Receipt] = {}
        if not job:
            found, rows = _left_out(changes, rows, blamed)
            if not rows:
                return found
            job, blamed = imports.start(self._api, audience, rows)
        if not job:
            raise BatchRefused(
                f"Klaviyo blames other rows each time, now {len(blamed)}.",
                hint="Run again: smaller batches find the row to blame",
            )
        return found | self._verdicts(audience, job, rows, changes)

    def _verdicts(
        self, audience: str, job: str, rows: list[Row], changes: Sequence[Change]
    ) -> dict[int, Receipt]:
        end = imports.ended(self._api, job, self.options.wait_seconds)
        if end is None:
            return receipts(changes, rows, "confirmed", proof=f"202 import {job}", job=job)
        proof = f"import {job}: {end.done} of {len(rows)}"
        if end.complete and not end.failed and end.done == len(rows):
            return receipts(changes, rows, "confirmed", proof=proof)
        named, _ = imports.refused(self._api, job) if end.complete else ({}, {})
        found, rest = _left_out(changes, rows, named)
        if end.complete and len(named) == end.failed and end.done == len(rest):
            return found | receipts(changes, rest, "confirmed", proof=proof)
        # Counts that name no row: the list itself tells who is on it.
        held = members.lookup(self._api, rest, f"lists/{audience}/profiles", "list profiles")
        there = [row for row in rest if row.email in held]
        absent = [row for row in rest if row.email not in held]
        return (
            found
            | receipts(changes, there, "confirmed", proof=f"{proof}, seen on the list")
            | receipts(changes, absent, "retry", reason="not_imported: the import left it out")
        )

    def _marked(self, target: Target) -> str | None:
        """The list made for this target in a run that did not live to remember it."""
        mark, ours = self._mark(target), []
        for one in self._api.each("lists", "lists", {"fields[list]": "name", "page[size]": 10}):
            attributes = one.get("attributes")
            name = attributes.get("name") if isinstance(attributes, dict) else None
            if isinstance(name, str) and name.endswith(mark):
                ours.append(str(one["id"]))
        return min(ours, default=None)

    def _made(self, target: Target) -> str:
        mark = self._mark(target)
        label = (target.label or target.place)[: LONGEST_NAME - len(mark) - 1]
        body = {"data": {"type": "list", "attributes": {"name": f"{label} {mark}"}}}
        made = self._api.write("new list", "POST", "lists", body).json()
        data = made.get("data") if isinstance(made, dict) else None
        known = data.get("id") if isinstance(data, dict) else None
        if not isinstance(known, str) or not known:
            raise OutcomeUnknown(
                "Klaviyo made a list but named none.",
                hint="Run again: it is found by its name",
            )
        return known

    def _mark(self, target: Target) -> str:
        return f"[{self.options.namespace}:{target.place}]"


def _chunks(rows: Sequence[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(rows), members.MOST_RELATED):
        yield list(rows[start : start + members.MOST_RELATED])


def _left_out(
    changes: Sequence[Change], rows: Sequence[Row], blamed: Mapping[int, str]
) -> tuple[dict[int, Receipt], list[Row]]:
    """Receipts of the rows that Klaviyo blames, and the other rows."""
    found: dict[int, Receipt] = {}
    for at, why in blamed.items():
        if at < len(rows):
            reason = f"{why}: Klaviyo refuses the row"
            found |= receipts(changes, [rows[at]], "rejected", reason=reason)
    return found, [row for at, row in enumerate(rows) if at not in blamed]


def _unsettled(
    changes: Sequence[Change], rows: Sequence[Row], error: Exception
) -> dict[int, Receipt]:
    """Receipts of rows whose call failed after others were through."""
    verdict, reason = unsettled(error)
    return receipts(changes, rows, verdict, reason=reason)


def _gone(target: Target) -> Stop:
    return Stop(
        f"The list of {target.id} does not exist any more, or the key may not see it.",
        hint=MAKE_ANEW,
    )
