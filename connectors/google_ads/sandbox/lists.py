"""User lists of the fake: create, list, read, change, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.google_ads.sandbox import members
from connectors.google_ads.sandbox.replies import GoogleError, Violation, invalid

if TYPE_CHECKING:
    from connectors.google_ads.sandbox.app import GoogleSandbox

Document = dict[str, Any]
FIRST = 8_100_200_300
DAY = 86_400
LONGEST = 540 * DAY
OPEN, CLOSED = 1, 2
INFO = {1: "contact_id_info", 2: "mobile_id_info", 3: "user_id_info"}
MUTABLE = ("display_name", "description", "membership_duration", "membership_status")


def create(fake: GoogleSandbox, account: str, given: Any, *, only_check: bool) -> Document:
    """The new list. Names are unique within an account."""
    table = fake.store.table("user_list")
    keys = list(given.ingested_user_list_info.upload_key_types)
    if not given.display_name.strip():
        raise invalid(Violation("user_list.display_name", "REQUIRED_FIELD_MISSING"))
    if not given.HasField("ingested_user_list_info") or len(keys) != 1 or keys[0] not in INFO:
        place = "user_list.ingested_user_list_info.upload_key_types"
        raise invalid(Violation(place, "UNSUPPORTED_USER_LIST_UPLOAD_KEY_TYPES"))
    _named(fake, account, given.display_name)
    duration = _duration(given) if given.HasField("membership_duration") else LONGEST
    number = fake.store.table("counter").get("list", {"next": FIRST})["next"]
    made = {
        "id": str(number),
        "account": account,
        "display_name": given.display_name,
        "description": given.description,
        "duration": duration,
        "status": OPEN,
        "closing_reason": 0,
        "read_only": False,
        "key": keys[0],
        "created": fake.clock.now().isoformat(),
    }
    if not only_check:
        fake.store.table("counter")["list"] = {"next": number + 1}
        fake.clock.tick()
        table[str(number)] = made
    return made


def find(fake: GoogleSandbox, account: str, number: str) -> Document:
    """The stored list of this account."""
    found = fake.store.table("user_list").get(number)
    if found is None or found["account"] != account:
        raise GoogleError(404, "The user list was not found.", "NOT_FOUND")
    return found


def change(fake: GoogleSandbox, account: str, number: str, given: Any, mask: str) -> Document:
    """The list with the fields of the mask taken over."""
    found = dict(find(fake, account, number))
    paths = [_snake(path) for path in mask.split(",") if path]
    if not paths:
        raise invalid(Violation("update_mask", "INVALID_UPDATE_MASK"))
    for path in paths:
        if path not in MUTABLE:
            raise invalid(Violation(f"user_list.{path}", "IMMUTABLE_FIELD_FOR_UPDATE"))
    if found["read_only"]:
        raise invalid(Violation("user_list", "USER_LIST_MUTATION_NOT_SUPPORTED"))
    if "display_name" in paths and given.display_name != found["display_name"]:
        _named(fake, account, given.display_name)
        found["display_name"] = given.display_name
    if "description" in paths:
        found["description"] = given.description
    if "membership_duration" in paths:
        found["duration"] = _duration(given)
    if "membership_status" in paths:
        found["status"] = given.membership_status or OPEN
    fake.clock.tick()
    fake.store.table("user_list")[number] = found
    return found


def listed(
    fake: GoogleSandbox, account: str, size: str | None, token: str | None
) -> tuple[list[Document], str]:
    """A page of the account's lists in the order of their making, and the next page's token."""
    every = [one for one in fake.store.table("user_list").values() if one["account"] == account]
    start = int(token) if token and token.isdecimal() else 0
    if token and not (token.isdecimal() and start <= len(every)):
        raise invalid(Violation("page_token", "INVALID_PAGE_TOKEN"))
    asked = int(size) if size and size.isdecimal() else 0
    end = start + min(1000, asked or 50)
    return every[start:end], str(end) if end < len(every) else ""


def shown(fake: GoogleSandbox, found: Document) -> Any:
    """The list as a message, with what Google adds of its own."""
    from google.ads import datamanager_v1 as dm

    made = dm.UserList.pb()()
    made.name = f"accountTypes/GOOGLE_ADS/accounts/{found['account']}/userLists/{found['id']}"
    made.id = int(found["id"])
    made.display_name, made.description = found["display_name"], found["description"]
    made.read_only = found["read_only"]
    made.membership_status, made.access_reason = found["status"], 1
    made.membership_duration.seconds = found["duration"]
    if found["closing_reason"]:
        made.closing_reason = found["closing_reason"]
    made.ingested_user_list_info.upload_key_types.append(found["key"])
    if found["key"] == 1:
        info = made.ingested_user_list_info.contact_id_info
        info.data_source_type = 1
        info.match_rate_percentage = members.match_rate(fake, found)
    people = members.matched(fake, found)
    made.size_info.display_network_members_count = people
    made.size_info.search_network_members_count = people * 9 // 10
    made.size_info.youtube_members_count = people
    made.size_info.gmail_members_count = people * 8 // 10
    made.target_network_info.eligible_for_display = people >= 100
    return made


def _named(fake: GoogleSandbox, account: str, name: str) -> None:
    for one in fake.store.table("user_list").values():
        if one["account"] == account and one["display_name"] == name:
            raise invalid(Violation("user_list.display_name", "DISPLAY_NAME_ALREADY_USED"))


def _duration(given: Any) -> int:
    seconds, nanos = given.membership_duration.seconds, given.membership_duration.nanos
    if seconds > LONGEST:
        raise invalid(Violation("user_list.membership_duration", "MEMBERSHIP_DURATION_TOO_LONG"))
    if nanos or seconds <= 0 or seconds % DAY:
        raise invalid(Violation("user_list.membership_duration", "INVALID_FORMAT"))
    return int(seconds)


def _snake(path: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in path.strip())
