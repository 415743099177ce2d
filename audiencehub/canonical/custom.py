"""A company's own fields: declared in settings, columns like any other from then on.

[custom.account.renewal_risk]
type = "number"
unit = "percent"
privacy = "none"
from = { salesforce = "Renewal_Risk__c", hubspot = "renewal_risk" }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

import pydantic
from pydantic import BaseModel, ConfigDict

from audiencehub.canonical.words import Field, Privacy, Table, Type

PREFIX = "custom_"
"""Of the column: `custom.renewal_risk` in a rule is `custom_renewal_risk` in a table."""


class CustomField(BaseModel):
    """What settings say of one field of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Type
    origins: dict[str, Annotated[str, pydantic.Field(min_length=1)]] = pydantic.Field(
        alias="from", min_length=1
    )
    """Source to what it calls the field: a CRM's field or property, a file's column."""
    unit: str = ""
    about: str = ""
    privacy: Privacy = "personal"
    """Counts as personal unless they say otherwise."""

    def field(self, name: str) -> Field:
        """The column."""
        clean = "text" if self.type == "text" else ""
        about = self.about or f"Custom field {name}"
        return Field(f"{PREFIX}{name}", self.type, about, self.privacy, clean, self.unit)


Name = Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Custom = dict[Literal["contact", "account"], dict[Name, CustomField]]
"""Entity to name to field."""


def widened(tables: Mapping[str, Table], custom: Custom) -> Mapping[str, Table]:
    """The tables with the custom fields after their own; in the order of `tables`."""
    found = dict(tables)
    for name, declared in custom.items():
        own = [one.field(field) for field, one in declared.items()]
        found[name] = replace(found[name], fields=(*found[name].fields, *own))
    return found


def spelled(table: str, column: str) -> str:
    """A field as people write it: `contact.title`, `contact.custom.tier`."""
    own = column.startswith(PREFIX)
    return f"{table}.custom.{column.removeprefix(PREFIX)}" if own else f"{table}.{column}"


def located(tables: Mapping[str, Table], said: str) -> tuple[str, Field] | None:
    """Table and field of `contact.title`, `contact.custom.tier`, or `custom.tier` where one table
    alone declares it. None for what is no field."""
    table, _, name = said.partition(".")
    if table == "custom":
        found = [
            (one.name, field) for one in tables.values() if (field := one.field(PREFIX + name))
        ]
        return found[0] if len(found) == 1 else None
    if name.startswith("custom."):
        name = PREFIX + name.removeprefix("custom.")
    field = tables[table].field(name) if table in tables else None
    return (table, field) if field else None


def origins(custom: Custom, source: str) -> Mapping[str, Mapping[str, str]]:
    """Entity to column to what that source calls it."""
    return {
        entity: {
            f"{PREFIX}{name}": one.origins[source]
            for name, one in declared.items()
            if source in one.origins
        }
        for entity, declared in custom.items()
    }
