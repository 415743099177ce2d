"""Elements that are sent to the fake: each is judged by itself and answered in its place."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from connectors.linkedin_ads.sandbox import segments
from connectors.linkedin_ads.sandbox.restli import RestliError, known_fields

if TYPE_CHECKING:
    from connectors.linkedin_ads.sandbox.app import LinkedInSandbox

MOST = 5_000
_FIELDS = {
    "USER": frozenset(
        {"action", "userIds", "firstName", "lastName", "title", "company", "country"}
    ),
    "COMPANY": frozenset(
        {
            "action",
            "companyName",
            "companyWebsiteDomain",
            "companyEmailDomain",
            "companyPageUrl",
            "organizationUrn",
            "city",
            "state",
            "country",
            "postalCode",
            "industries",
            "stockSymbol",
        }
    ),
}
_FORMS = {
    "SHA256_EMAIL": r"[0-9a-f]{64}",
    "SHA512_EMAIL": r"[0-9a-f]{128}",
    "GOOGLE_AID": r"[0-9A-Za-z-]{8,64}",
}
_COMPANY_FORMS = {
    "organizationUrn": r"urn:li:organization:[0-9]+",
    "companyWebsiteDomain": r"[^\s/:@]+\.[^\s/:@.]+",
    "companyEmailDomain": r"[^\s/:@]+\.[^\s/:@.]+",
}
_NAMES = ("organizationUrn", "companyWebsiteDomain", "companyEmailDomain", "companyPageUrl")
_EMPTY = hashlib.sha256(b"").hexdigest()

Document = dict[str, Any]


def batch(fake: LinkedInSandbox, segment: Document, body: Document) -> Document:
    """`{"elements": [{"status": 201}, …]}` in the order of the request."""
    known_fields(body, frozenset({"elements"}))
    elements, kind = body.get("elements"), segment["type"]
    if not isinstance(elements, list) or not all(isinstance(one, dict) for one in elements):
        raise RestliError(400, "INVALID_BODY", "elements must be a list of objects")
    if not 0 < len(elements) <= MOST:
        raise RestliError(400, "INVALID_PARAMS", f"A batch takes 1 to {MOST} elements")
    for number, element in enumerate(elements):
        known_fields(element, _FIELDS[kind], f"/elements/{number}")
    good: list[Document] = []
    answers: list[Document] = []
    for element in elements:
        fault = _fault(element, kind) or fake.throttled(kind)
        if fault is None:
            good.append(element)
            answers.append({"status": 201})
        else:
            answers.append({"status": fault.status, "error": fault.document()})
    _apply(fake, segment, good)
    return {"elements": answers}


def _fault(element: Document, kind: str) -> RestliError | None:
    if element.get("action") not in ("ADD", "REMOVE"):
        return _bad("action must be ADD or REMOVE")
    return _company_fault(element) if kind == "COMPANY" else _person_fault(element)


def _company_fault(element: Document) -> RestliError | None:
    for name, form in _COMPANY_FORMS.items():
        value = str(element.get(name, ""))
        if name in element and not re.fullmatch(form, value):
            return _bad(f"{name} {value} is invalid")
    return None if _pairs(element) else _bad("no company is named")


def _person_fault(element: Document) -> RestliError | None:
    ids = element.get("userIds", [])
    if not isinstance(ids, list) or not all(isinstance(one, dict) for one in ids):
        return _bad("userIds must be a list")
    for one in ids:
        form, value = _FORMS.get(str(one.get("idType"))), str(one.get("idValue"))
        if form is None or set(one) != {"idType", "idValue"}:
            return _bad("idType is unknown")
        if not re.fullmatch(form, value) or value == _EMPTY:
            return _bad(f"idValue {value} is no {one['idType']}")
    if not ids and not (element.get("firstName") and element.get("lastName")):
        return _bad("without userIds firstName and lastName must be given")
    return None


def _bad(message: str) -> RestliError:
    return RestliError(400, "INVALID_PARAMS", message)


def _pairs(element: Document) -> list[str]:
    """Everything by which a member is found, strongest first."""
    if element.get("userIds"):
        return [f"{one['idType']}:{one['idValue']}" for one in element["userIds"]]
    found = [f"{name}:{element[name]}" for name in _NAMES if element.get(name)]
    if found:
        return found
    names = [str(element[n]) for n in ("companyName", "firstName", "lastName") if element.get(n)]
    return [f"name:{' '.join(names)}"] if names else []


def _apply(fake: LinkedInSandbox, segment: Document, elements: list[Document]) -> None:
    """In order. A member is held once, whatever stands beside its ids; any id of it removes it."""
    table = fake.store.table(f"member:{segment['id']}")
    held = {key: dict(row) for key, row in table.items()}
    where = {pair: key for key, row in held.items() for pair in row["ids"]}
    matched = 0
    for element in elements:
        pairs = _pairs(element)
        keys = {where[pair] for pair in pairs if pair in where}
        add = element["action"] == "ADD"
        key = min(keys) if keys else hashlib.sha256(pairs[0].encode()).hexdigest()[:24]
        fake.record_write(
            key, "add" if add else "remove", segment=str(segment["id"]), changed=bool(keys) != add
        )
        for old in keys:
            for pair in held.pop(old)["ids"]:
                del where[pair]
        if add:
            row = {name: value for name, value in element.items() if name != "action"}
            held[key] = {**row, "ids": pairs, "matched": _matches(pairs)}
            where |= dict.fromkeys(pairs, key)
        matched += add and _matches(pairs)
    _keep(table, held)
    _counted(fake, segment, len(elements), matched)


def _keep(table: Any, held: dict[str, Document]) -> None:
    for key in [key for key in table if key not in held]:
        del table[key]
    fresh = {key: row for key, row in held.items() if table.get(key) != row}
    if fresh:
        table.put(fresh)


def _counted(fake: LinkedInSandbox, segment: Document, sent: int, matched: int) -> None:
    """Inputs count as they come, twice sent twice counted; the audience does not."""
    if not sent:
        return
    now = fake.clock.tick()
    days, day = fake.store.table(f"input:{segment['id']}"), now.date().isoformat()
    so_far = days.get(day, {"input": 0, "matched": 0})
    days[day] = {"input": so_far["input"] + sent, "matched": so_far["matched"] + matched}
    stamp = now.isoformat()
    built = segment.get("built") or stamp
    segments.store(fake, segment, changed=stamp, used=stamp, built=built)


def _matches(pairs: list[str]) -> bool:
    """Five of eight are members of LinkedIn, always the same ones."""
    return hashlib.sha256(pairs[0].encode()).digest()[0] % 8 < 5
