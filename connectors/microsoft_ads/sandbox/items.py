"""Items of the fake's lists: `CustomerListUserData/Apply`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from connectors.microsoft_ads.sandbox.audiences import alive
from connectors.microsoft_ads.sandbox.faults import ApiFault, element

if TYPE_CHECKING:
    from connectors.microsoft_ads.sandbox.app import MicrosoftSandbox

MOST = 1_000
ACTIONS = ("Add", "Remove", "Replace")
KINDS = ("Email", "CRM", "Phone")
LONGEST_ID = 100
"""Characters of an own id. Microsoft checks a length and does not publish it."""
Document = dict[str, Any]


def apply(fake: MicrosoftSandbox, body: Document) -> Document:
    """`{"PartialErrors": […]}`, one for each item refused; the others are taken."""
    data = body.get("CustomerListUserData")
    if not isinstance(data, dict):
        raise ApiFault(100, "The request message is null.")
    audience, action, kind, given = _checked(fake, data)
    good: list[str] = []
    errors: list[Document] = []
    for index, value in enumerate(given):
        code = _refused(kind, value)
        if code:
            errors.append(element(code, index, "The item was not taken."))
        else:
            good.append(value)
    _apply(fake, audience, action, kind, good)
    return {"PartialErrors": errors}


def _checked(fake: MicrosoftSandbox, data: Document) -> tuple[str, str, str, list[Any]]:
    accepted = data.get("AcceptCustomerMatchTerm")
    unsigned = fake.options.get("terms") in ("unsigned", "uploads")
    if accepted is False or (unsigned and accepted is not True):
        raise ApiFault(8003, "Accept the customer match terms and conditions first.")
    audience, action = str(data.get("AudienceId")), str(data.get("ActionType"))
    kind, given = str(data.get("CustomerListItemSubType")), data.get("CustomerListItems")
    if audience not in fake.store.table("list"):
        raise ApiFault(8000, "The customer list ID is invalid.")
    if action not in ACTIONS:
        raise ApiFault(8001, "The action type is invalid.")
    if kind not in KINDS:
        raise ApiFault(8002, "The sub type is invalid.")
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        raise ApiFault(100, f"CustomerListItems takes one to {MOST} items.")
    return audience, action, kind, given


def _refused(kind: str, value: Any) -> int:
    if kind == "CRM":
        return 0 if isinstance(value, str) and 0 < len(value) <= LONGEST_ID else 8005
    hashed = isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value)
    return 0 if hashed else 8004


def _apply(
    fake: MicrosoftSandbox, audience: str, action: str, kind: str, values: list[str]
) -> None:
    """Take the items; `replace_clears` = "all" clears every kind, by default its own alone."""
    held = alive(fake, audience)
    table = fake.store.table(f"item:{audience}")
    stamp = fake.clock.tick().isoformat()
    if action == "Replace":
        everything = fake.options.get("replace_clears") == "all"
        keep = {f"{kind}:{value}" for value in values}
        for key, item in held.items():
            if (everything or item["kind"] == kind) and key not in keep:
                del table[key]
                fake.record_write(item["value"], "remove", audience=audience, changed=True)
    op = "remove" if action == "Remove" else "add"
    fresh: Document = {}
    for value in values:
        key = f"{kind}:{value}"
        there = key in table or key in fresh
        fake.record_write(value, op, audience=audience, changed=there is (op == "remove"))
        if op == "add":
            fresh[key] = {"kind": kind, "value": value, "at": stamp}
        elif there:
            del table[key]
    if fresh:
        table.put(fresh)
        known = fake.store.table("list")[audience]
        filled = known["filled"] or stamp
        fake.store.table("list")[audience] = {**known, "filled": filled}
