"""What a reply of Salesforce holds, or why it cannot be the truth."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar, overload

from audiencehub.errors import Incomplete
from audiencehub.http import Reply

Json = Mapping[str, Any]
T = TypeVar("T")
ID = re.compile(r"[0-9A-Za-z]{15,18}")


@overload
def part(reply: Reply) -> Json: ...
@overload
def part(reply: Reply, key: str) -> Any: ...
def part(reply: Reply, key: str = "") -> Any:
    """One part of a reply, or all of it. Raises Incomplete where it is missing."""
    body = reply.json()
    if not isinstance(body, Mapping) or (key and key not in body):
        raise incomplete(f"The reply to {reply.what} does not say its {key or 'parts'}.")
    return body[key] if key else body


def whole_number(reply: Reply, key: str) -> int:
    """A count that a reply tells. Raises Incomplete where it is none."""
    found = part(reply, key)
    if type(found) is not int or found < 0:
        raise incomplete(f"The reply to {reply.what} does not say its {key}.")
    return found


def key_of(reply: Reply) -> str:
    """The Id of what a reply tells about, safe to stand in a path. Raises Incomplete."""
    found = part(reply, "id")
    if not isinstance(found, str) or not ID.fullmatch(found):
        raise incomplete(f"The reply to {reply.what} names its record in an impossible way.")
    return found


def ids(records: Any) -> set[str]:
    """The Ids of records; what is no record or has no Id is left out."""
    rows = records if isinstance(records, list) else []
    found = [one.get("Id") for one in rows if isinstance(one, Mapping)]
    return {one for one in found if isinstance(one, str) and ID.fullmatch(one)}


def incomplete(message: str) -> Incomplete:
    """A reply that cannot be the truth."""
    return Incomplete(message, hint="Run again; nothing is removed because of it")


def csv_rows(reply: Reply) -> list[list[str]]:
    """Rows with their header. Always UTF-8, whatever the header leaves out; newlines inside values
    stay (Bulk API 2.0 Developer Guide, Prepare CSV Files)."""
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/csv":
        reply.unreadable(f"is {kind[:40] or 'untyped'}, not CSV")
    try:
        text = reply.content.decode("utf-8")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error):
        rows, text = [], ""
    if not rows or "\0" in text:
        reply.unreadable("is cut off or not CSV")
    if any(len(row) != len(rows[0]) for row in rows):
        reply.unreadable("has rows of different length")
    return rows


def deleted_of(reply: Reply) -> list[Json]:
    """Tombstones of a getDeleted reply. Raises Incomplete."""
    found = part(reply, "deletedRecords")
    try:
        read = [(one["id"], one["deletedDate"]) for one in found]
        whole = all(ID.fullmatch(key) and datetime.fromisoformat(at) for key, at in read)
    except (TypeError, KeyError, ValueError):
        whole = False
    if not whole or not isinstance(found, list):
        raise incomplete("A list of deleted records cannot be read.")
    return [{"Id": key, "IsDeleted": True, "SystemModstamp": at} for key, at in read]


def readable(read: Callable[[Any], T], value: Any) -> T:
    """What a value means. Raises Incomplete for one that means nothing."""
    try:
        return read(value)
    except (TypeError, ValueError, OverflowError):
        raise incomplete("A reply holds a value of another kind than documented.") from None
