"""Contacts of the fake's audience, and their status, which tags never change."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from connectors.mailchimp.sandbox.problem import Document, Problem, invalid, missing

if TYPE_CHECKING:
    from connectors.mailchimp.sandbox.app import MailchimpSandbox

STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
MOST = 500
_ADDRESS = re.compile(r"[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s.]{2,}")
_HASH = re.compile(r"[0-9a-f]{32}")


def digest(email: str) -> str:
    """The subscriber hash: MD5 of the address in lower case."""
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def valid(email: Any) -> bool:
    """Whether Mailchimp would take it for an address."""
    return isinstance(email, str) and _ADDRESS.fullmatch(email.strip()) is not None


def fresh(email: str, status: str, merge_fields: Document | None = None) -> Document:
    """A contact of this status."""
    return {
        "email_address": email.strip(),
        "status": status,
        "merge_fields": {"FNAME": "", "LNAME": "", **(merge_fields or {})},
    }


def find(fake: MailchimpSandbox, audience: str, key: str) -> Document:
    """The contact by hash or by address, archived ones too; or 404."""
    number = key if _HASH.fullmatch(key) else digest(key)
    found = fake.contacts(audience).get(number)
    if found is None:
        raise missing()
    return found


def shown(fake: MailchimpSandbox, audience: str, contact: Document) -> Document:
    """The contact as the API has it, tags with it."""
    number = digest(contact["email_address"])
    tags = [
        {"id": int(key), "name": tag["name"]}
        for key, tag in fake.tags(audience).items()
        if number in fake.tagged(audience, key)
    ]
    return {
        "id": number,
        "email_address": contact["email_address"],
        "unique_email_id": number[:10],
        "email_type": "html",
        "status": contact["status"],
        "merge_fields": contact["merge_fields"],
        "tags_count": len(tags),
        "tags": tags[:50],
        "list_id": audience,
    }


def put(fake: MailchimpSandbox, audience: str, key: str, body: Document) -> Document:
    """Add or update one contact. `status` may subscribe; `status_if_new` never touches one."""
    table = fake.contacts(audience)
    held = table.get(key if _HASH.fullmatch(key) else digest(key))
    email = body.get("email_address") or (held or {}).get("email_address")
    if not valid(email):
        raise invalid("email_address", "Please provide a valid email address.")
    wanted = body.get("status") if held else body.get("status") or body.get("status_if_new")
    if not held and wanted not in STATUSES:
        raise invalid("status_if_new", "Data did not match any of the schemas.")
    if held and wanted == "subscribed" and held["status"] in ("unsubscribed", "cleaned"):
        raise Problem(
            400,
            "Member In Compliance State",
            f"{email} is in a compliance state due to unsubscribe, bounce, or compliance review "
            "and cannot be subscribed.",
        )
    names = {**(held or {}).get("merge_fields", {}), **body.get("merge_fields", {})}
    made = fresh(str(email), str(wanted or (held or {})["status"]), names)
    table[digest(str(email))] = made
    return made


def batch(fake: MailchimpSandbox, audience: str, body: Document) -> Document:
    """Up to 500 new contacts; those that are there change only with `update_existing`."""
    members = body.get("members")
    if not isinstance(members, list) or not members:
        raise invalid("members", "This value should not be blank.")
    if len(members) > MOST:
        raise invalid("members", f"Maximum of {MOST} items exceeded.")
    table, made, errors = fake.contacts(audience), [], []
    updated: list[Document] = []
    for one in members:
        email, status = one.get("email_address"), one.get("status")
        why = _refusal(fake, email, status)
        key = digest(email) if why is None else ""
        held = table.get(key)
        if why is None and held and held["status"] != "archived":
            if not body.get("update_existing"):
                why = ("ERROR_CONTACT_EXISTS", "is already a list member")
            else:
                table[key] = {**held, "status": status}
                updated.append(shown(fake, audience, table[key]))
        elif why is None:
            table[key] = fresh(email, status, one.get("merge_fields"))
            made.append(shown(fake, audience, table[key]))
        if why:
            errors.append(
                {
                    "email_address": email,
                    "error": f"{email} {why[1]}",
                    "error_code": why[0],
                    "field": "",
                    "field_message": "",
                }
            )
    return {
        "new_members": made,
        "updated_members": updated,
        "errors": errors,
        "total_created": len(made),
        "total_updated": len(updated),
        "error_count": len(errors),
    }


def _refusal(fake: MailchimpSandbox, email: Any, status: Any) -> tuple[str, str] | None:
    if status not in STATUSES:
        raise invalid("members.item:0.status", "Data did not match any of the schemas.")
    if not valid(email):
        return "ERROR_GENERIC", "is an invalid email address"
    if digest(email) in fake.store.table("forgotten"):
        return "ERROR_GENERIC", "was permanently deleted and cannot be re-imported"
    return None
