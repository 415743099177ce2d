"""Customer lists of the fake: added, changed, deleted, looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.microsoft_ads.sandbox.faults import ApiFault, element

if TYPE_CHECKING:
    from connectors.microsoft_ads.sandbox.app import MicrosoftSandbox

FIRST = 817341000
MOST = 100
SETTLED = timedelta(hours=48)
Document = dict[str, Any]


def add(fake: MicrosoftSandbox, body: Document) -> Document:
    """`{"AudienceIds": […], "PartialErrors": […]}`; null where a list was not made."""
    ids: list[str | None] = []
    errors: list[Document] = []
    for index, wanted in enumerate(_given(body, "Audiences")):
        code, why = _refused(fake, wanted, new=True)
        if code:
            errors.append(element(code, index, why))
            ids.append(None)
            continue
        table = fake.store.table("list")
        number = str(FIRST + fake.store.table("counter").get("list", {"n": 0})["n"])
        fake.store.table("counter")["list"] = {"n": int(number) - FIRST + 1}
        table[number] = {
            "Id": number,
            "Name": wanted["Name"],
            "Type": "CustomerList",
            "Description": wanted.get("Description"),
            "MembershipDuration": wanted.get("MembershipDuration"),
            "Scope": wanted.get("Scope", "Account"),
            "filled": None,
        }
        ids.append(number)
    return {"AudienceIds": ids, "PartialErrors": errors}


def update(fake: MicrosoftSandbox, body: Document) -> Document:
    """`{"PartialErrors": […]}`; what is not named stays."""
    errors: list[Document] = []
    table = fake.store.table("list")
    for index, wanted in enumerate(_given(body, "Audiences")):
        known = table.get(str(wanted.get("Id")))
        if known is None:
            errors.append(element(4500, index, "The audience ID is invalid."))
            continue
        code, why = _refused(fake, {**known, **wanted}, new=False)
        if code:
            errors.append(element(code, index, why))
            continue
        names = ("Name", "Description", "MembershipDuration")
        changed = {name: wanted[name] for name in names if wanted.get(name) is not None}
        table[known["Id"]] = {**known, **changed}
    return {"PartialErrors": errors}


def delete(fake: MicrosoftSandbox, body: Document) -> Document:
    """`{"PartialErrors": […]}`"""
    errors: list[Document] = []
    for index, audience in enumerate(_given(body, "AudienceIds")):
        if fake.store.table("list").pop(str(audience), None) is None:
            errors.append(element(4500, index, "The audience ID is invalid."))
        fake.store.table(f"item:{audience}").clear()
    return {"PartialErrors": errors}


def query(fake: MicrosoftSandbox, body: Document) -> Document:
    """`{"Audiences": […], "PartialErrors": […]}`; without ids every list."""
    if "CustomerList" not in str(body.get("Type") or "").replace(",", " ").split():
        raise ApiFault(100, "The audience type is required.")
    table = fake.store.table("list")
    if body.get("AudienceIds") is None:
        return {"Audiences": [_shown(fake, one) for one in table.values()], "PartialErrors": []}
    ids = [str(audience) for audience in _given(body, "AudienceIds")]
    found = [table.get(audience) for audience in ids]
    return {
        "Audiences": [one and _shown(fake, one) for one in found],
        "PartialErrors": [
            element(4500, index, "The audience ID is invalid.")
            for index, one in enumerate(found)
            if one is None
        ],
    }


def alive(fake: MicrosoftSandbox, audience: str) -> Document:
    """The items of a list that have not expired."""
    days = (fake.store.table("list").get(audience) or {}).get("MembershipDuration")
    table = fake.store.table(f"item:{audience}")
    if days:
        since = fake.clock.now() - timedelta(days=int(days))
        for key, item in list(table.items()):
            if datetime.fromisoformat(item["at"]) <= since:
                del table[key]
    return dict(table)


def _shown(fake: MicrosoftSandbox, known: Document) -> Document:
    people = len(alive(fake, known["Id"]))
    filled = known["filled"]
    settled = filled and fake.clock.now() - datetime.fromisoformat(filled) >= SETTLED
    share = float(fake.options.get("match", 0.6))
    return {
        **{name: value for name, value in known.items() if name != "filled"},
        "ParentId": fake.account,
        "SearchSize": str(int(people * share)) if settled else None,
        "AudienceNetworkSize": str(int(people * share * 0.8)) if settled else None,
        "SupportedCampaignTypes": ["Search", "Audience"],
    }


def _refused(fake: MicrosoftSandbox, wanted: Document, *, new: bool) -> tuple[int, str]:
    name, days = wanted.get("Name"), wanted.get("MembershipDuration")
    if fake.options.get("terms") == "unsigned":
        return 8003, "Accept the customer match terms and conditions first."
    if not isinstance(name, str) or not 0 < len(name) <= 128:
        return 100, "The audience name is required, with at most 128 characters."
    short = len(str(wanted.get("Description") or "")) <= 1024
    lasting = days is None or (isinstance(days, int) and 1 <= days <= 180)
    if wanted.get("Type") != "CustomerList" or not short or not lasting:
        return 100, "The type, the description or the membership duration is not supported."
    others = [one for one in fake.store.table("list").values() if one["Id"] != wanted.get("Id")]
    if new and any(one["Name"].lower() == name.lower() for one in others):
        return 4848, "The audience name is used already."
    return 0, ""


def _given(body: Document, name: str) -> list[Any]:
    entries = body.get(name)
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST:
        raise ApiFault(100, f"{name} takes one to {MOST} elements.")
    return entries
