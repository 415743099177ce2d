"""Which fields and tables a rule may name, and how names are suggested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from audiencehub.canonical import PREFIX, TABLES, Field, Table

LEAVES = (
    "event",
    "order",
    "order_line",
    "deal",
    "ticket",
    "subscription",
    "survey",
    "email_engagement",
    "uses",
    "dropped",
    "intent",
    "sequence",
    "trend",
    "segment",
    "was_in",
    "entered",
    "left",
    "contacts",
    "rank",
    "occasion",
    "near",
    "match_all",
)
TREE = ("all", "any", "not")
LATER: Mapping[str, str] = {}
"""Leaves that the language has and this version cannot evaluate yet."""
CUSTOM = "custom."
"""In a rule: `custom.renewal_risk` is the column `custom_renewal_risk`."""

TABLE_OF: Mapping[str, str] = {
    "event": "event",
    "order": "order",
    "order_line": "order_line",
    "deal": "deal",
    "ticket": "ticket",
    "subscription": "subscription",
    "survey": "survey_answer",
    "email_engagement": "email_engagement",
    "uses": "technology_install",
    "dropped": "technology_install",
    "intent": "intent_signal",
}
FACTS = tuple(dict.fromkeys(TABLE_OF.values()))
"""Every table of facts that a rule can read, once."""
LEAF_OF: Mapping[str, str] = {table: leaf for leaf, table in TABLE_OF.items() if leaf != "dropped"}
"""The leaf over a table. An install that is no longer live is `dropped`, not `uses`."""
DATED: Mapping[str, str] = {
    "event": "at",
    "order": "at",
    "order_line": "at",
    "deal": "close_date",
    "ticket": "created_at",
    "subscription": "started_at",
    "survey_answer": "at",
    "email_engagement": "at",
    "technology_install": "first_detected_at",
    "intent_signal": "period_end",
}
"""The field that a window reads. An intent signal counts on the days of its period."""
BORN: Mapping[str, str] = {
    **DATED,
    "deal": "created_at",
    "intent_signal": "period_start",
}
"""The field before which a row does not exist: what is dated after the clock is not there yet."""
ACCOUNT_ONLY = frozenset({"deal", "subscription", "technology_install", "intent_signal"})
"""Tables that a contact rule reads of the contact's account."""
OF_CONTACTS = frozenset(
    {
        "event",
        "order",
        "order_line",
        "deal",
        "ticket",
        "subscription",
        "survey_answer",
        "email_engagement",
    }
)
"""Tables whose rows reach an account also through its contacts."""
INLINE: Mapping[str, tuple[str, ...]] = {
    "event": ("name",),
    "order": (),
    "order_line": ("sku", "category"),
    "deal": (),
    "ticket": ("category",),
    "subscription": ("plan", "status"),
    "survey": ("survey", "kind"),
    "email_engagement": ("action", "campaign"),
    "uses": ("technology", "category"),
    "dropped": ("technology", "category"),
    "intent": ("topic", "category", "score"),
}
"""Fields that may stand beside the leaf's own keys; the rest go under `where`. The first is what
a bare value means: `uses: salesforce`."""
INSTALLS = ("uses", "dropped")
"""Leaves over technology installs: no window and no aggregate, but `since`."""
MOVING = tuple(leaf for leaf in TABLE_OF if leaf not in (*INSTALLS, "intent"))
"""Leaves whose rows happen one after another: steps of sequences, and what trends are of."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The tables a rule book is read against."""

    tables: Mapping[str, Table]

    def field(self, table: str, name: str) -> Field | None:
        """The field of a table, if there is one."""
        return self.tables[table].field(name)

    def names(self, table: str) -> tuple[str, ...]:
        """All field names of a table, as rules write them."""
        return tuple(spoken(one.name) for one in self.tables[table].fields)

    def adding(self, table: str, fields: Iterable[Field]) -> Catalog:
        """The same catalog with more fields on one table."""
        wider = replace(self.tables[table], fields=(*self.tables[table].fields, *fields))
        return Catalog({**self.tables, table: wider})


CATALOG = Catalog(TABLES)


def split(said: str, own: str) -> tuple[str, str]:
    """Scope and column of a field as a rule writes it: `account.custom.tier`, `country`.

    A name without a scope is of `own`, the segment's entity. A column of a custom field written
    as such (`custom_tier`) is no name: its column comes out empty.
    """
    scope, _, name = said.rpartition(".")
    if scope == "custom" or scope.endswith(".custom"):
        return scope.removesuffix("custom").rstrip(".") or own, PREFIX + name
    return scope or own, "" if name.startswith(PREFIX) else name


def spoken(column: str) -> str:
    """The column of an entity as rules write it."""
    return CUSTOM + column.removeprefix(PREFIX) if column.startswith(PREFIX) else column


def near(word: str, options: Iterable[str]) -> str:
    """A hint that names the closest valid word, or all of them where none is close."""
    known = sorted(set(options))
    close = get_close_matches(word, known, 1, 0.6)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Use one of: {', '.join(known)}" if len(known) <= 20 else "Look it up in the catalog"
