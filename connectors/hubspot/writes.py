"""One batch update and what its reply proves, row by row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop
from audiencehub.http import Reply
from audiencehub.model import Change, Receipt
from connectors.hubspot.api import Api

_REFUSED = frozenset({400, 404, 409, 413, 422})
_KNOWN = ("INVALID_OPTION", "PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE", "OBJECT_NOT_FOUND")
_GONE = "HubSpot has no such record"
_HINTS = {
    "INVALID_OPTION": "Send the plan again: its options are added to the property first",
    "PROPERTY_DOESNT_EXIST": "Send the plan again: the property is made first",
    "DUPLICATE_IDS": "Send each record once in a batch",
}


def write(
    api: Api, kind: str, changes: Sequence[Change], *, tags: str, reason: str
) -> list[Receipt]:
    """One receipt per change, in order.

    Raises BatchRefused when HubSpot refuses the batch as a whole (nothing was applied),
    OutcomeUnknown when the reply cannot be read.
    """
    if not changes:
        return []
    sent = {change.member: _properties(change, tags, reason) for change in changes}
    inputs = [
        {"id": change.member, "properties": _properties(change, tags, reason)} for change in changes
    ]
    reply = api.post(
        "objects",
        f"{kind}/batch/update",
        {"inputs": inputs},
        accept=_REFUSED | {200, 207},
        writes=True,
    )
    if reply.status in _REFUSED:
        return _refused(reply, changes)
    body = _body(reply)
    proof = f"{reply.status} {{}} {hashlib.sha256(reply.content).hexdigest()[:16]}"
    done, failed = _results(body, reply), _errors(body)
    if not _adds_up(body, done, failed, changes):
        return [_unknown(change, "the counts of the reply do not add up") for change in changes]
    return [_receipt(change, sent, done, failed, proof, tags) for change in changes]


def _properties(change: Change, tags: str, reason: str) -> dict[str, str]:
    """The whole tag set, "" for none; the reason only where there is one to write."""
    value = change.value
    properties = {tags: ";".join(value.tags) if value and change.op != "remove" else ""}
    if value is not None and value.reason is not None:
        properties[reason] = value.reason
    return properties


def _receipt(
    change: Change,
    sent: Mapping[str, dict[str, str]],
    done: Mapping[str, dict[str, Any]],
    failed: Mapping[str, str],
    proof: str,
    tags: str,
) -> Receipt:
    id_ = change.member
    if id_ in done and id_ in failed:
        return _unknown(change, "the reply names the record twice")
    if id_ in failed:
        return Receipt(id_, "rejected", reason=f"{failed[id_]}: {_GONE}")
    if id_ not in done:
        return _unknown(change, "the reply does not name the record")
    held = done[id_].get(tags, sent[id_][tags])
    if _set(held) != _set(sent[id_][tags]):
        return _unknown(change, "the reply shows another value than was sent")
    return Receipt(id_, "confirmed", proof=proof.format(id_))


def _unknown(change: Change, why: str) -> Receipt:
    return Receipt(change.member, "unknown", reason=f"UNACCOUNTED: {why}")


def _set(value: Any) -> set[str]:
    return {one for one in str(value or "").split(";") if one}


def _adds_up(
    body: dict[str, Any],
    done: Mapping[str, Any],
    failed: Mapping[str, str],
    changes: Sequence[Change],
) -> bool:
    """No more verdicts than inputs, and as many errors as the reply itself claims.

    numErrors counts error entries, of which one may name many ids; both counts are taken.
    """
    entries = body.get("errors") or []
    claimed = body.get("numErrors", len(entries))
    if claimed not in (len(entries), len(failed)):
        return False
    return len(done) + len(failed) <= len({change.member for change in changes})


def _results(body: dict[str, Any], reply: Reply) -> dict[str, dict[str, Any]]:
    """Record id to the properties in the reply."""
    found: dict[str, dict[str, Any]] = {}
    for one in body["results"]:
        if not isinstance(one, dict) or "id" not in one:
            reply.unreadable("holds a result without id")
        found[str(one["id"])] = one.get("properties") or {}
    return found


def _errors(body: dict[str, Any]) -> dict[str, str]:
    """Record id to the category of its error."""
    return {
        str(id_): _word(one.get("category"))
        for one in body.get("errors") or []
        if isinstance(one, dict)
        for id_ in (one.get("context") or {}).get("ids") or []
    }


def _word(value: Any) -> str:
    text = str(value or "")
    return text if re.fullmatch(r"[A-Z][A-Z0-9_]{2,60}", text) else "REFUSED"


def _body(reply: Reply) -> dict[str, Any]:
    body = reply.json()
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        reply.unreadable("has no list of results")
    if body.get("status") not in ("COMPLETE", None):
        raise OutcomeUnknown(
            "HubSpot took a batch without finishing it.",
            hint="Run again: the records are read back first",
        )
    return body


def _refused(reply: Reply, changes: Sequence[Change]) -> list[Receipt]:
    """A missing record that came alone is that row's verdict; all else is the batch's."""
    code = _code(reply)
    if code == "OBJECT_NOT_FOUND" and len(changes) == 1:
        return [Receipt(changes[0].member, "rejected", reason=f"{code}: {_GONE}")]
    if reply.status == 404:
        raise Stop(
            f"HubSpot does not know {reply.what}.",
            hint="Check `version` and the address of this destination in deployments/",
        )
    raise BatchRefused(
        f"HubSpot refused a batch of {len(changes)} ({reply.status} {code}).",
        hint=_HINTS.get(code, "The rows are tried in smaller batches; see audiencehub quarantine"),
    )


def _code(reply: Reply) -> str:
    """The reason of a refusal, told from HubSpot's words; never the words themselves."""
    text = reply.content[:65536].decode("utf-8", "replace")
    if "duplicate ids" in text.casefold():
        return "DUPLICATE_IDS"
    return next((word for word in _KNOWN if word in text), _word(reply.code))
