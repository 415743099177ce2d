"""Tombstones: recognize what would bring a forgotten person back, by keyed digests alone.

A record that is the person's is dropped whole; one that is somebody else's, or a company's, loses
what names the person and stays. Nothing here can say who was forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audiencehub.model import Json, Row
from audiencehub.privacy import normal

PERSONAL = frozenset(
    {
        "contact", "event", "order", "order_line", "ticket", "survey_answer", "email_engagement",
        "consent",
    }
)  # fmt: skip
"""Tables whose rows are a person's own; those of the others are a company's."""
BLANK = "[forgotten]"
UNTOUCHED = ("id", "Id")
"""Keys of a record's own name: two kinds of objects may share numbers."""
OF_ACCOUNTS = ("_account", "AccountId")
LONG = 12
"""References of so many characters are no amounts."""
_REFERS = re.compile(r"(?:^|_)ids?$|Ids?$|contact|customer|person|master|who|(?:^|_)ref", re.I)
_EMAIL = re.compile(r"[^\s@<>\"'(),:;=/?&\[\]{}\\]{1,64}(?:@|%40)[^\s@<>\"'(),:;=/?&\[\]{}\\]+")


@dataclass(frozen=True, slots=True)
class Tombstones:
    """The keyed digests of all forgotten identifiers; false when there are none."""

    marks: Collection[str]
    make: Callable[[str], str]
    """The keyed digest of a text."""

    def __bool__(self) -> bool:
        return bool(self.marks)

    def has(self, kind: str, value: Any, source: str = "") -> bool:
        """Whether this identifier is a forgotten one; `source` for a record's id."""
        text = spelled(kind, value, source)
        return text is not None and self.make(text) in self.marks

    def sift(
        self, source: str, stream: str, record: Json, rows: Sequence[Row] | None
    ) -> Json | None:
        """The record as it may be kept: None when it is a forgotten person's own, else without what
        names one; the very same object when it names none.

        `rows` are what the source makes of it; None when it cannot be read.
        """
        if not self.marks:
            return record
        if rows is None:
            own = stream in ("contact", "lead") and self.has("record", _own_id(record), source)
            return None if own or self._mentioned(record) else record
        said = {self._theirs(source, row) for row in rows if row.table in PERSONAL}
        if said == {None}:
            # A deletion says of whom it was in its own words alone.
            said = {True if self._names(source, record) else None}
        if True in said and False not in said:
            return None
        refs = {
            ref
            for row in rows
            for ref in (row.values.get("contact_ref"), row.merged_into, _gone(row))
            if ref and self.has("record", ref, source)
        }
        refs |= {
            row.values["contact_external_id"]
            for row in rows
            if self.has("external_id", row.values.get("contact_external_id"))
        }
        return self._without(record, {str(ref) for ref in refs})

    def _names(self, source: str, record: Json) -> bool:
        return any(
            isinstance(value, str | int) and self.has("record", value, source)
            for key, value in record.items()
            if key not in (*UNTOUCHED, *OF_ACCOUNTS)
        )

    def _theirs(self, source: str, row: Row) -> bool | None:
        """Whether a row is a forgotten person's; None when it says of nobody."""
        values = row.values
        if row.table == "contact":
            keys = [("record", row.source_id), ("email", values.get("email"))]
            keys.append(("external_id", values.get("external_id")))
            if any(self.has(kind, value, source) for kind, value in keys):
                return True
            # A number alone may be a switchboard, or the next person at that desk.
            alone = not values.get("email") and not values.get("external_id")
            return alone and self.has("phone", values.get("phone"))
        if values.get("contact_ref"):
            return self.has("record", values["contact_ref"], source)
        if values.get("contact_email"):
            return self.has("email", values["contact_email"])
        number = values.get("contact_external_id")
        return self.has("external_id", number) if number else None

    def _mentioned(self, value: Any) -> bool:
        return any(
            self.has("email", found) for leaf in _texts(value) for found in _EMAIL.findall(leaf)
        )

    def _without(self, record: Json, refs: Collection[str]) -> Json:
        mentioned = {
            found
            for leaf in _texts(record)
            for found in _EMAIL.findall(leaf)
            if self.has("email", found)
        }
        if not refs and not mentioned:
            return record
        return {
            key: value if key in UNTOUCHED else blanked(value, mentioned, refs, key)
            for key, value in record.items()
        }


def spelled(kind: str, value: Any, source: str = "") -> str | None:
    """An identifier as it is digested: its kind, and one spelling of its value; None for none."""
    text = "" if value is None else str(value)
    if kind == "email":
        text = normal.lower(text.replace("%40", "@")).strip(".")
    elif kind == "phone":
        read = normal.digits_only(text, None)
        text = read if isinstance(read, str) else ""
    else:
        text = text.strip()
    return f"{kind}\n{source if kind == 'record' else ''}\n{text}" if text else None


def blanked(value: Any, mentioned: Collection[str], refs: Collection[str], key: str = "") -> Any:
    """A JSON value without these: whole texts become null, parts of a text are blanked.

    A short reference is one only under a key that says so: elsewhere it is an amount.
    """
    if isinstance(value, Mapping):
        return {name: blanked(one, mentioned, refs, name) for name, one in value.items()}
    if isinstance(value, list):
        return [blanked(one, mentioned, refs, key) for one in value]
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    names = _REFERS.search(key) is not None
    meant = {one for one in refs if names or len(one) >= LONG}
    text = str(value)
    if text.strip() in meant or text.strip() in mentioned:
        return None
    if isinstance(value, int):
        return value
    for one in mentioned:
        text = text.replace(one, BLANK)
    for one in meant:
        text = re.sub(rf"(?<![\w-]){re.escape(one)}(?![\w-])", "", text)
    return text


def _gone(row: Row) -> str | None:
    """The id of a record that another one names as merged into it."""
    return row.source_id if row.table == "contact" and row.merged_into else None


def _own_id(record: Json) -> Any:
    return record.get("id") or record.get("Id")


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value that may hold an address."""
    if isinstance(value, str):
        if "@" in value or "%40" in value:
            yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
