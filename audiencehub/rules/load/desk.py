"""Where the readers of one file write down its faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from audiencehub.errors import Fault
from audiencehub.model import Entity
from audiencehub.rules.language.catalog import CATALOG, CUSTOM, Catalog, near, spoken
from audiencehub.rules.load.tree import Broken, Map, Scalar, Seq, Tree


@dataclass(slots=True)
class Desk:
    """The file at hand, what it is read against, and the faults found so far."""

    path: str
    currency: str = "USD"
    catalog: Catalog = CATALOG
    faults: list[Fault] = field(default_factory=list)
    traits: Mapping[str, tuple[Entity, str]] = field(default_factory=dict)
    """Column of a trait to whose it is and its type; an empty type is that of a faulty file."""
    references: list[tuple[str, int]] = field(default_factory=list)
    """Segments that the file names, with the line: also of a rule that has other faults."""

    def fault(self, node: Tree | int, message: str, hint: str = "") -> None:
        """Write one fault down; a node that was refused already earns no second one."""
        if isinstance(node, Broken):
            return
        line = node if isinstance(node, int) else node.line
        self.faults.append(Fault(self.path, line, message, hint))

    def unknown(self, key: Scalar, what: str, options: Iterable[str]) -> None:
        """A word that is not in the list of valid ones."""
        self.fault(key, f"{key.text!r} is no {what}", near(key.text, options))

    def no_custom(self, key: Scalar, entity: str, column: str) -> None:
        """A custom field that the settings do not declare."""
        own = [one for one in self.catalog.names(entity) if one.startswith(CUSTOM)]
        name = spoken(column)
        close = near(name, own) if own else ""
        declare = f"Declare it under [custom.{entity}.{name.removeprefix(CUSTOM)}] in the settings"
        self.fault(
            key, f"{key.text!r} is no custom field", close if close.startswith("Did") else declare
        )

    def mapping(self, node: Tree, what: str) -> Map | None:
        """The node as a mapping, or a fault."""
        if isinstance(node, Map):
            return node
        self.fault(node, f"{what} must be a mapping of keys", "Write {key: value}")
        return None

    def text(self, node: Tree, what: str) -> str | None:
        """The node as text that is not blank, or a fault."""
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.strip():
            return node.value
        self.fault(node, f"{what} must be text", "Write some words; quote numbers")
        return None

    def items(self, node: Tree, what: str) -> tuple[Tree, ...]:
        """The node as a list with at least one item, or a fault and nothing."""
        if isinstance(node, Seq) and node.items:
            return node.items
        self.fault(node, f"{what} must be a list with at least one item", "Write one `-` per item")
        return ()

    def only(self, mapping: Map, what: str, allowed: Iterable[str]) -> None:
        """A fault for each key that is not allowed."""
        known = tuple(allowed)
        for key, _ in mapping.entries:
            if key.text not in known:
                self.unknown(key, f"key of {what}", known)
