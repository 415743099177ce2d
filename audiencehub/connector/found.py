"""Connectors found by name: a folder `connectors/<vendor>/`, or an entry point in `GROUP`, whose
`__init__` holds a `SPEC`. The core never imports one otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module, util
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from audiencehub.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Spec:
    """A connector's front page: found in `connectors/<vendor>/__init__.py` as `SPEC`.

    Classes are named by dotted path so that listing connectors imports none of them.
    """

    name: str
    label: str
    about: str
    source: str | None = None
    """`module:Class` of its Source."""
    enricher: str | None = None
    destination: str | None = None
    sandbox: str | None = None
    options: str | None = None
    """`module:Class` of a pydantic model, extra="forbid", of the settings entry's options."""
    secrets: tuple[str, ...] = ()
    """Option names that hold credentials: only references are allowed in settings."""
    scopes: tuple[str, ...] = ()
    """The least access that does the job, as the vendor names it."""
    docs: str = ""


GROUP = "audiencehub.connectors"


@cache
def _installed() -> tuple[EntryPoint, ...]:
    """Entry points are looked for once: the search reads the files of every installed package."""
    return tuple(entry_points(group=GROUP))


def names() -> list[str]:
    """Every connector that can be found, sorted."""
    found = {point.name for point in _installed()}
    package = util.find_spec("connectors")
    for folder in package.submodule_search_locations or () if package else ():
        found |= {path.parent.name for path in Path(folder).glob("*/__init__.py")}
    return sorted(found)


def spec(name: str) -> Spec:
    """The connector's front page. Raises ConfigError with the nearest names."""
    for point in _installed():
        loaded = point.load() if point.name == name else None
        if isinstance(loaded, Spec):
            return loaded
    if name not in names():
        raise ConfigError(
            f"There is no connector {name!r}.",
            hint=f"Use one of: {', '.join(names())}; or add connectors/{name}/ (CONTRIBUTING.md)",
        )
    found = getattr(import_module(f"connectors.{name}"), "SPEC", None)
    if not isinstance(found, Spec):
        raise ConfigError(
            f"connectors/{name}/__init__.py has no SPEC.",
            hint="Add SPEC = Spec(name=…, label=…, about=…, source=…)",
        )
    return found


def load(path: str) -> Any:
    """The object at `module:name`."""
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)
