"""The privacy class of every canonical field, for logs, pages and ad targeting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiencehub.canonical import TABLES, Privacy

HIDDEN = "…"


def privacy_class(path: str) -> Privacy:
    """The class of `contact.email`. A field nobody knows counts as personal."""
    table, _, name = path.partition(".")
    found = TABLES[table].field(name) if table in TABLES else None
    return found.privacy if found else "personal"


def fit_for_ads(path: str) -> bool:
    """Whether a rule on this field may choose who sees an ad."""
    return privacy_class(path) != "sensitive"


def loggable(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with everything but class `none` blanked, for a log line."""
    return {
        name: value if privacy_class(f"{table}.{name}") == "none" else HIDDEN
        for name, value in values.items()
    }
