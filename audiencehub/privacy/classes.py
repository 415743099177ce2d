"""The privacy class of every canonical field, for logs and pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiencehub.canonical import TABLES, Privacy, Table, located

HIDDEN = "…"


def privacy_class(path: str, tables: Mapping[str, Table] = TABLES) -> Privacy:
    """The class of `contact.email`; of `contact.custom.tier` as settings declare it, where `tables`
    are those of the settings. A field nobody knows counts as personal."""
    found = located(tables, path)
    return found[1].privacy if found else "personal"


def loggable(
    table: str, values: Mapping[str, Any], tables: Mapping[str, Table] = TABLES
) -> dict[str, Any]:
    """The values with everything but class `none` blanked, for a log line."""
    return {
        name: value if privacy_class(f"{table}.{name}", tables) == "none" else HIDDEN
        for name, value in values.items()
    }
