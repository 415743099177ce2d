"""Which fields and tables a rule may name, and how names are suggested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from audiencehub.canonical import TABLES, Field, Table

LEAVES = ("event", "order", "deal", "uses", "intent", "segment", "match_all")
TREE = ("all", "any", "not")
LATER: Mapping[str, str] = {
    "ticket": "support tickets",
    "subscription": "subscriptions",
    "survey": "surveys",
    "sequence": "sequences",
    "trend": "trends",
    "dropped": "dropped technologies",
    "was_in": "earlier membership",
    "entered": "entry into a segment",
    "left": "exit from a segment",
    "occasion": "occasions",
    "near": "distances",
    "rank": "ranks",
    "contacts": "contacts of an account",
    "ladder": "ladders",
}
"""Leaves that the language has and this version cannot evaluate yet."""
LATER_SCOPES: Mapping[str, str] = {"trait": "traits", "custom": "custom fields"}

TABLE_OF: Mapping[str, str] = {
    "event": "event",
    "order": "order",
    "deal": "deal",
    "uses": "technology_install",
    "intent": "intent_signal",
}
LEAF_OF: Mapping[str, str] = {table: leaf for leaf, table in TABLE_OF.items()}
DATED: Mapping[str, str] = {
    "event": "at",
    "order": "at",
    "deal": "close_date",
    "technology_install": "first_detected_at",
    "intent_signal": "period_end",
}
"""The field that a window reads. An intent signal counts on the days of its period."""
BORN: Mapping[str, str] = {
    "event": "at",
    "order": "at",
    "deal": "created_at",
    "technology_install": "first_detected_at",
    "intent_signal": "period_start",
}
"""The field before which a row does not exist: what is dated after the clock is not there yet."""
ACCOUNT_ONLY = frozenset({"deal", "technology_install", "intent_signal"})
"""Tables that a contact rule reads of the contact's account."""
OF_CONTACTS = frozenset({"event", "order", "deal"})
"""Tables whose rows reach an account also through its contacts."""
INLINE: Mapping[str, tuple[str, ...]] = {
    "event": ("name",),
    "order": (),
    "deal": (),
    "uses": ("technology", "category"),
    "intent": ("topic", "category", "score"),
}
"""Fields that may stand beside the leaf's own keys; the rest go under `where`."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The tables a rule book is read against."""

    tables: Mapping[str, Table]

    def field(self, table: str, name: str) -> Field | None:
        """The field of a table, if there is one."""
        return self.tables[table].field(name)

    def names(self, table: str) -> tuple[str, ...]:
        """All field names of a table."""
        return tuple(one.name for one in self.tables[table].fields)

    def adding(self, table: str, fields: Iterable[Field]) -> Catalog:
        """The same catalog with more fields on one table."""
        wider = replace(self.tables[table], fields=(*self.tables[table].fields, *fields))
        return Catalog({**self.tables, table: wider})


CATALOG = Catalog(TABLES)


def near(word: str, options: Iterable[str]) -> str:
    """A hint that names the closest valid word, or all of them where none is close."""
    known = sorted(set(options))
    close = get_close_matches(word, known, 1, 0.6)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Use one of: {', '.join(known)}" if len(known) <= 20 else "Look it up in the catalog"
