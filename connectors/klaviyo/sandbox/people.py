"""Profiles of the fake, and their consent, which only the subscription endpoint changes."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from connectors.klaviyo.sandbox.jsonapi import Document, Fault, resource, sparse

if TYPE_CHECKING:
    from connectors.klaviyo.sandbox.app import KlaviyoSandbox

ATTRIBUTES = {
    "email", "phone_number", "external_id", "anonymous_id", "first_name", "last_name",
    "organization", "locale", "title", "image", "location", "properties",
}  # fmt: skip
IDENTIFIERS = ("email", "phone_number", "external_id", "anonymous_id")
KEPT = ("first_name", "last_name", "external_id", "title")
NEVER = "NEVER_SUBSCRIBED"
MOST_SUBSCRIBED = 1_000
_ADDRESS = re.compile(r"[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s.]{2,}")


def valid(email: Any) -> bool:
    """Whether Klaviyo would take it for an address."""
    return isinstance(email, str) and _ADDRESS.fullmatch(email.strip()) is not None


def number(email: str) -> str:
    """The id that this address gets."""
    digest = hashlib.sha256(f"profile {email}".encode()).hexdigest().upper()
    return f"01{digest[:24]}"


def find(fake: KlaviyoSandbox, email: str) -> Document | None:
    """The profile with this address, in any case."""
    return fake.store.table("profile").get(number(email.strip().lower()))


def fresh(email: str, consent: str = NEVER, suppression: list[Document] | None = None) -> Document:
    """A profile nobody has told anything of."""
    address = email.strip().lower()
    return {
        "id": number(address),
        "email": address,
        **dict.fromkeys(KEPT),
        "consent": consent,
        "suppression": suppression or [],
    }


def merged(held: Document | None, attributes: Document) -> Document:
    """The profile after an upsert: what is given replaces, consent stays as it was."""
    base = held or fresh(attributes["email"])
    given = {name: attributes[name] for name in KEPT if attributes.get(name) is not None}
    return {**base, **given}


def create(fake: KlaviyoSandbox, document: Document) -> Document:
    """A new profile; 409 with the id of the old one where the address is taken."""
    attributes = resource(document["data"], "profile", "/data", ATTRIBUTES)
    if not valid(attributes.get("email")):
        raise Fault(400, "invalid", "Invalid email address", "/data/attributes/email")
    held = find(fake, attributes["email"])
    if held:
        raise Fault(
            409,
            "duplicate_profile",
            "A profile already exists with one of these identifiers.",
            "/data/attributes",
            meta={"duplicate_profile_id": held["id"]},
        )
    made = merged(None, attributes)
    fake.store.table("profile")[made["id"]] = made
    return made


def shown(request: Request, profile: Document) -> Document:
    """The resource object, with consent where `additional-fields` asks for it."""
    marketing = {
        "can_receive_email_marketing": not profile["suppression"],
        "consent": profile["consent"],
        "suppression": profile["suppression"],
    }
    attributes = {name: profile[name] for name in ("email", *KEPT)}
    more = request.query_params.get("additional-fields[profile]", "")
    if "subscriptions" in more.split(","):
        attributes["subscriptions"] = {"email": {"marketing": marketing}}
    return {
        "type": "profile",
        "id": profile["id"],
        "attributes": sparse(request, "profile", attributes),
        "links": {"self": f"https://a.klaviyo.com/api/profiles/{profile['id']}/"},
    }


def subscribe(fake: KlaviyoSandbox, document: Document) -> None:
    """Give consent, and lift suppressions that people chose themselves, as the real one does."""
    keys = {"profiles", "historical_import", "custom_source"}
    attributes = resource(document["data"], "profile-subscription-bulk-create-job", "/data", keys)
    rows = (attributes.get("profiles") or {}).get("data")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_SUBSCRIBED:
        detail = f"One to {MOST_SUBSCRIBED} profiles."
        raise Fault(400, "invalid", detail, "/data/attributes/profiles")
    table = fake.store.table("profile")
    for at, row in enumerate(rows):
        pointer = f"/data/attributes/profiles/data/{at}"
        given = resource(row, "profile", pointer, {"email", "phone_number", "subscriptions"})
        if not valid(given.get("email")):
            raise Fault(400, "invalid", "Invalid email address", f"{pointer}/attributes/email")
        profile = find(fake, given["email"]) or fresh(given["email"])
        lasting = [one for one in profile["suppression"] if one["reason"] == "HARD_BOUNCE"]
        table[profile["id"]] = {**profile, "consent": "SUBSCRIBED", "suppression": lasting}
