"""What the plain evaluator says of one node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audiencehub.rules.language.form import Node
from audiencehub.rules.language.profile import Row


@dataclass(frozen=True, slots=True)
class Clause:
    """One node of a rule, judged."""

    node: Node
    verdict: bool
    value: Any = None
    """What the tests were applied to; None is unknown."""
    row: Row | None = None
    """The row that the value comes from, or the latest of the rows kept."""
    kept: int = 0
    """How many rows were kept."""
    parts: tuple[Clause, ...] = ()
