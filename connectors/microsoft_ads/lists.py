"""The account's customer lists: looked at, made, changed.

Source: learn.microsoft.com/advertising, AddAudiences, UpdateAudiences, GetAudiencesByIds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audiencehub.errors import OutcomeUnknown, Wait
from audiencehub.model import Figures
from connectors.microsoft_ads import faults
from connectors.microsoft_ads.api import Api, partial

KIND = "CustomerList"
LONGEST_NAME = 128


def every(api: Api) -> list[Mapping[str, Any]]:
    """All customer lists that the account may use. Raises Stop, Wait."""
    # Without ids all are meant; an empty list of ids is refused.
    _, document = api.call("POST", "Audiences/QueryByIds", {"Type": KIND})
    return [found for found in _audiences(document) if found is not None]


def one(api: Api, audience: str) -> Mapping[str, Any] | None:
    """The list with this id; None when there is none any more. Raises Stop, Wait."""
    body = {"AudienceIds": [audience], "Type": KIND}
    reply, document = api.call("POST", "Audiences/QueryByIds", body)
    found = _audiences(document)
    if not found and partial(reply, document):
        return None
    if len(found) != 1 or (found[0] is not None and str(found[0]["Id"]) != audience):
        raise Wait("Microsoft's answer is about other lists.", hint="Run again later")
    return found[0]


def make(api: Api, name: str, mark: str, more: Mapping[str, Any]) -> str:
    """The id of a new list. A name that is taken gets six digits of the mark. Raises Stop, Wait,
    OutcomeUnknown."""
    tail = f" ({mark[4:10]})"
    names = (name[:LONGEST_NAME], name[: LONGEST_NAME - len(tail)] + tail)
    for wanted in names:
        body = {"Audiences": [{"Name": wanted, "Type": KIND, **more}]}
        reply, document = api.call("POST", "Audiences", body, writes=True)
        found = partial(reply, document)
        if wanted != names[-1] and faults.codes(found) == {faults.DUPLICATE_NAME}:
            continue
        if found:
            raise faults.error_of(found, reply.what, writes=True)
        break
    ids = document.get("AudienceIds")
    made = str(ids[0]) if isinstance(ids, list) and len(ids) == 1 else ""
    if not made.isdecimal():
        raise OutcomeUnknown(
            "Microsoft made a list but named none.",
            hint="Run again: it is found by its description",
        )
    return made


def change(api: Api, audience: str, **values: Any) -> None:
    """Set these fields and no others. Raises Stop, Wait, OutcomeUnknown."""
    body = {"Audiences": [{"Id": audience, "Type": KIND, **values}]}
    reply, document = api.call("PUT", "Audiences", body, writes=True)
    found = partial(reply, document)
    if found:
        raise faults.error_of(found, reply.what, writes=True)


def figures(found: Mapping[str, Any], minimum: int) -> Figures:
    """What the two networks count. Sizes are absent until about two days after the first upload."""
    sizes = {name: _size(found.get(name)) for name in ("SearchSize", "AudienceNetworkSize")}
    known = [size for size in sizes.values() if size is not None]
    if not known:
        return Figures("building", detail="no size yet")
    # Who is in both networks is counted in both.
    shown = ", ".join(f"{name} {size}" for name, size in sizes.items() if size is not None)
    small = max(known) < minimum
    return Figures("too_small" if small else "ready", size=(max(known), sum(known)), detail=shown)


def _audiences(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any] | None]:
    entries = document.get("Audiences")
    if not isinstance(entries, list) or not all(
        entry is None or (isinstance(entry, Mapping) and str(entry.get("Id", "")).isdecimal())
        for entry in entries
    ):
        raise Wait("Microsoft's answer holds no lists.", hint="Run again later")
    return entries


def _size(value: Any) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None
