"""What a canonical table and its fields are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["text", "integer", "money", "number", "boolean", "date", "instant", "texts", "json"]
"""`money` is a decimal in the currency of its row; `instant` is UTC; `texts` a list of text."""
Privacy = Literal["none", "personal", "identifier", "sensitive"]
"""`identifier` names a person by itself (e-mail, phone) and never reaches a log;
`sensitive` is unfit for ads."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a canonical table."""

    name: str
    type: Type
    about: str = ""
    privacy: Privacy = "none"
    clean: str = ""
    """The cleaner that normalize applies (`cleaning.CLEANERS`); empty: by type alone."""
    unit: str = ""
    """What a number counts, where the name does not say: `seats`, `km`."""


@dataclass(frozen=True, slots=True)
class Table:
    """One canonical table. Entities have an id of the hub's; facts point to entities."""

    name: str
    about: str
    fields: tuple[Field, ...]
    entity: bool = False

    def field(self, name: str) -> Field | None:
        """The field of that name, if there is one."""
        return next((one for one in self.fields if one.name == name), None)
