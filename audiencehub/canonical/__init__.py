"""The canonical tables: what every source is said in, and what rules read. Data, no behaviour.

Field names follow the Segment traits where they exist; the mapping from CRM names stands in each
connector. `contact` and `account` hold one row per person and company after identity resolution;
the others are facts about them. What a company adds of its own is `custom.<name>` in settings.
"""

from __future__ import annotations

from collections.abc import Mapping

from audiencehub.canonical.custom import (
    PREFIX,
    Custom,
    CustomField,
    located,
    origins,
    spelled,
    widened,
)
from audiencehub.canonical.entities import ACCOUNT, CONTACT
from audiencehub.canonical.facts import FACTS
from audiencehub.canonical.words import Field, Privacy, Table, Type

__all__ = [
    "ACCOUNT",
    "ACTIVITY",
    "CONTACT",
    "FACTS",
    "PREFIX",
    "TABLES",
    "Custom",
    "CustomField",
    "Field",
    "Privacy",
    "Table",
    "Type",
    "located",
    "origins",
    "spelled",
    "tables_with",
]

TABLES: Mapping[str, Table] = {table.name: table for table in (CONTACT, ACCOUNT, *FACTS)}

ACTIVITY: Mapping[str, str] = {
    "event": "at",
    "order": "at",
    "order_line": "at",
    "ticket": "created_at",
    "survey_answer": "at",
    "email_engagement": "at",
}
"""Fact tables that rules read through windows, and the field that dates a row."""


def tables_with(custom: Custom) -> Mapping[str, Table]:
    """The canonical tables and the fields that settings add (`Settings.custom`)."""
    return widened(TABLES, custom)
