"""Tags of the fake, which are its static segments, and who has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.mailchimp.sandbox import contacts
from connectors.mailchimp.sandbox.problem import Document, Problem, invalid, missing

if TYPE_CHECKING:
    from connectors.mailchimp.sandbox.app import MailchimpSandbox

MOST = 500
FIRST = 3_200_001


def create(fake: MailchimpSandbox, audience: str, body: Document) -> Document:
    """A tag; names are unique in an audience, in any case."""
    name, first = body.get("name"), body.get("static_segment")
    if not isinstance(name, str) or not name.strip():
        raise invalid("name", "This value should not be blank.")
    if len(name) > 100:
        raise invalid("name", "This value is too long. It should have 100 characters or less.")
    if not isinstance(first, list):
        text = 'Must provide either an "options" field or a "static_segment" field'
        raise Problem(400, "Invalid Resource", text)
    table = fake.tags(audience)
    if any(one["name"].lower() == name.lower() for one in table.values()):
        raise Problem(400, "Bad Request", "Sorry, that tag already exists.")
    counter = fake.store.table("counter")
    number = counter.get("tag", {"next": FIRST})["next"]
    counter["tag"] = {"next": number + 1}
    stamp = fake.clock.tick().isoformat()
    table[str(number)] = {"name": name, "created_at": stamp, "updated_at": stamp}
    if first:
        change(fake, audience, str(number), {"members_to_add": first})
    return shown(fake, audience, str(number))


def shown(fake: MailchimpSandbox, audience: str, key: str) -> Document:
    """The segment object of a tag, or 404."""
    found = fake.tags(audience).get(key)
    if found is None:
        raise missing()
    return {
        "id": int(key),
        "member_count": len(fake.tagged(audience, key)),
        "type": "static",
        "list_id": audience,
        **found,
    }


def delete(fake: MailchimpSandbox, audience: str, key: str) -> None:
    """The tag is gone; its contacts are not."""
    shown(fake, audience, key)
    fake.tagged(audience, key).clear()
    del fake.tags(audience)[key]


def change(fake: MailchimpSandbox, audience: str, key: str, body: Document) -> Document:
    """Tag some contacts and untag others, by address. Who is no contact is told among the errors,
    archived ones too; nobody's status is looked at or changed."""
    shown(fake, audience, key)
    adds, removals = (_emails(body, name) for name in ("members_to_add", "members_to_remove"))
    if not adds and not removals:
        raise invalid("members_to_add", "This value should not be blank.")
    table, errors = fake.tagged(audience, key), []
    added: dict[str, Document] = {}
    removed: list[Document] = []
    for email in adds:
        number, contact = contacts.digest(email), _contact(fake, audience, email)
        held = number in table or number in added
        if contact is None:
            errors.append({"email_addresses": [email], "error": "Email is not on this list"})
            continue
        fake.record_write(email.lower(), "add", audience=key, changed=not held)
        if not held or fake.options.get("already", "silent") == "listed":
            added[number] = contact
        elif fake.options.get("already") == "error":
            errors.append({"email_addresses": [email], "error": "Email is already in the tag"})
    table.put({number: {"email": one["email_address"].lower()} for number, one in added.items()})
    for email in removals:
        number, contact = contacts.digest(email), _contact(fake, audience, email)
        held = number in table
        if contact is None:
            errors.append({"email_addresses": [email], "error": "Email is not on this list"})
            continue
        fake.record_write(email.lower(), "remove", audience=key, changed=held)
        if held:
            del table[number]
            removed.append(contact)
    made = [contacts.shown(fake, audience, one) for one in added.values()]
    return {
        "members_added": made,
        "members_removed": [contacts.shown(fake, audience, one) for one in removed],
        "errors": errors,
        "total_added": len(made),
        "total_removed": len(removed),
        "error_count": len(errors),
    }


def mark(fake: MailchimpSandbox, audience: str, key: str, body: Document) -> None:
    """Tags of one contact by name: `active` ones are made where there are none."""
    contact = contacts.find(fake, audience, key)
    wanted = body.get("tags")
    if not isinstance(wanted, list):
        raise invalid("tags", "This value should be of type iterable.")
    for one in wanted:
        name, status = one.get("name"), one.get("status")
        if status not in ("active", "inactive") or not isinstance(name, str):
            raise invalid("tags", "Data did not match any of the schemas.")
        known = {tag["name"].lower(): number for number, tag in fake.tags(audience).items()}
        number = known.get(name.lower())
        if number is None and status == "active":
            number = str(create(fake, audience, {"name": name, "static_segment": []})["id"])
        if number is not None:
            field = "members_to_add" if status == "active" else "members_to_remove"
            change(fake, audience, number, {field: [contact["email_address"]]})


def members(fake: MailchimpSandbox, audience: str, key: str, query: Any) -> list[Document]:
    """Contacts with a tag: subscribed and pending ones, and others only on demand."""
    shown(fake, audience, key)
    states = {"subscribed", "pending"}
    states |= {
        name
        for name in ("cleaned", "transactional", "unsubscribed")
        if query.get(f"include_{name}", "").lower() == "true"
    }
    held = [fake.contacts(audience)[number] for number in fake.tagged(audience, key)]
    return [contacts.shown(fake, audience, one) for one in held if one["status"] in states]


def _emails(body: Document, name: str) -> list[str]:
    given = body.get(name, [])
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise invalid(name, "This value should be of type array.")
    if len(given) > MOST:
        raise Problem(
            400,
            "Invalid Resource",
            f"Maximum allowed member items exceeded, please provide at most {MOST} items in "
            "members_to_add field or members_to_remove field",
        )
    return given


def _contact(fake: MailchimpSandbox, audience: str, email: str) -> Document | None:
    found = fake.contacts(audience).get(contacts.digest(email))
    return None if found is None or found["status"] == "archived" else found
