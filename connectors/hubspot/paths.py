"""Where each API family lives, per version.

Numbered versions go unsupported in 2027 (HubSpot changelog, "Legacy APIs and legacy apps: what's
going unsupported and when"), so the default is a dated one.
"""

from __future__ import annotations

from typing import Literal

Version = Literal["v3", "2026-03", "2026-09"]
DEFAULT: Version = "2026-03"

_NUMBERED = {
    "objects": "/crm/v3/objects",
    "properties": "/crm/v3/properties",
    "lists": "/crm/v3/lists",
    "associations": "/crm/v4/associations",
    "account-info": "/account-info/v3",
    "communication-preferences": "/communication-preferences/v4",
    "oauth": "/oauth/v3",
}
_DATED = {
    "objects": "/crm/objects/{version}",
    "properties": "/crm/properties/{version}",
    "lists": "/crm/lists/{version}",
    "associations": "/crm/associations/{version}",
    "account-info": "/account-info/{version}",
    "communication-preferences": "/communication-preferences/{version}",
    "oauth": "/oauth/{version}",
}


def path(version: Version, family: str, rest: str) -> str:
    """`path("2026-03", "objects", "contacts/search")` → `/crm/objects/2026-03/contacts/search`;
    without `rest` the family's own path."""
    root = _NUMBERED[family] if version == "v3" else _DATED[family].format(version=version)
    return f"{root}/{rest}" if rest else root
