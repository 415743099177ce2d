"""A company's own fields: declared in settings, columns like any other from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from audiencehub.canonical.words import Field, Privacy, Table, Type

PREFIX = "custom_"
"""Of the column: `custom.renewal_risk` in a rule is `custom_renewal_risk` in a table."""
Custom = Mapping[str, Sequence[Field]]
"""Canonical table to the fields that settings add to it."""


def custom_field(
    name: str, type_: Type, *, about: str = "", unit: str = "", privacy: Privacy = "personal"
) -> Field:
    """The column of a custom field. It counts as personal unless settings say otherwise."""
    clean = "text" if type_ == "text" else ""
    return Field(f"{PREFIX}{name}", type_, about or f"custom.{name}", privacy, clean, unit)


def widened(tables: Mapping[str, Table], custom: Custom) -> Mapping[str, Table]:
    """The tables with the custom fields after their own; in the order of `tables`."""
    return {
        name: replace(table, fields=(*table.fields, *custom.get(name, ())))
        for name, table in tables.items()
    }
