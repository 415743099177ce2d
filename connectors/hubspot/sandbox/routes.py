"""Which handler answers which path; a path family has one spelling per API version. Data."""

from __future__ import annotations

from connectors.hubspot.sandbox import account, associations, lists, objects, properties
from connectors.hubspot.sandbox.call import Handler

DATES = ("2026-03", "2026-09")
_FAMILIES = {
    "objects": ("/crm", "objects", ("v3",)),
    "properties": ("/crm", "properties", ("v3",)),
    "lists": ("/crm", "lists", ("v3",)),
    "owners": ("/crm", "owners", ("v3",)),
    "associations": ("/crm", "associations", ("v4",)),
    "account-info": ("", "account-info", ("v3",)),
    "communication-preferences": ("", "communication-preferences", ("v4",)),
    "oauth": ("", "oauth", ("v1", "v3")),
}

_READ, _WRITE = "crm.objects.contacts.read", "crm.objects.contacts.write"
_SCHEMA_READ, _SCHEMA = "crm.schemas.contacts.read", "crm.schemas.contacts.write"
_LISTS_READ, _LISTS = "crm.lists.read", "crm.lists.write"
_STATUS = "communication_preferences.statuses.batch.read"

Entry = tuple[str, str, str, Handler, str | None]
ROUTES: tuple[Entry, ...] = (
    ("GET", "objects", "/{type}", objects.page, _READ),
    ("POST", "objects", "/{type}", objects.create, _WRITE),
    ("POST", "objects", "/{type}/search", objects.search, _READ),
    ("POST", "objects", "/{type}/merge", objects.merge, _WRITE),
    ("POST", "objects", "/{type}/batch/read", objects.batch_read, _READ),
    ("POST", "objects", "/{type}/batch/update", objects.batch_update, _WRITE),
    ("POST", "objects", "/{type}/batch/create", objects.batch_create, _WRITE),
    ("POST", "objects", "/{type}/batch/upsert", objects.batch_upsert, _WRITE),
    ("POST", "objects", "/{type}/batch/archive", objects.batch_archive, _WRITE),
    ("GET", "objects", "/{type}/{id}", objects.get, _READ),
    ("PATCH", "objects", "/{type}/{id}", objects.patch, _WRITE),
    ("DELETE", "objects", "/{type}/{id}", objects.delete, _WRITE),
    ("GET", "properties", "/{type}", properties.listed, _SCHEMA_READ),
    ("POST", "properties", "/{type}", properties.create, _SCHEMA),
    ("GET", "properties", "/{type}/groups", properties.groups, _SCHEMA_READ),
    ("POST", "properties", "/{type}/groups", properties.create_group, _SCHEMA),
    ("GET", "properties", "/{type}/groups/{name}", properties.group, _SCHEMA_READ),
    ("GET", "properties", "/{type}/{name}", properties.get, _SCHEMA_READ),
    ("PATCH", "properties", "/{type}/{name}", properties.patch, _SCHEMA),
    ("DELETE", "properties", "/{type}/{name}", properties.delete, _SCHEMA),
    ("POST", "associations", "/{from}/{to}/batch/read", associations.batch_read, _READ),
    ("POST", "associations", "/{from}/{to}/batch/create", associations.batch_create, _WRITE),
    ("POST", "lists", "", lists.create, _LISTS),
    ("POST", "lists", "/", lists.create, _LISTS),
    ("POST", "lists", "/search", lists.search, _LISTS_READ),
    ("GET", "lists", "/object-type-id/{object_type}/name/{name:path}", lists.by_name, _LISTS_READ),
    ("GET", "lists", "/{list}", lists.get, _LISTS_READ),
    ("DELETE", "lists", "/{list}", lists.delete, _LISTS),
    ("GET", "lists", "/{list}/memberships", lists.memberships, _LISTS_READ),
    ("PUT", "lists", "/{list}/memberships/add", lists.add, _LISTS),
    ("PUT", "lists", "/{list}/memberships/remove", lists.remove, _LISTS),
    ("PUT", "lists", "/{list}/memberships/add-and-remove", lists.add_and_remove, _LISTS),
    ("GET", "owners", "", account.owners, "crm.objects.owners.read"),
    ("GET", "owners", "/", account.owners, "crm.objects.owners.read"),
    ("GET", "account-info", "/details", account.details, "oauth"),
    ("GET", "account-info", "/api-usage/daily/private-apps", account.usage, "oauth"),
    ("POST", "communication-preferences", "/statuses/batch/read", account.statuses, _STATUS),
    ("POST", "oauth", "/token", account.token, None),
)


def spellings(family: str, rest: str) -> list[str]:
    """The same path in every version: `/crm/v3/objects/…`, `/crm/objects/2026-03/…`."""
    root, name, numbers = _FAMILIES[family]
    numbered = [f"{root}/{number}/{name}" if root else f"/{name}/{number}" for number in numbers]
    return [f"{path}{rest}" for path in [*numbered, *(f"{root}/{name}/{date}" for date in DATES)]]
