"""What would turn a clause round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flip:
    """Changes that together turn a clause round; `cost` orders the choices."""

    cost: float
    """One per change, and up to one more for how far a number is off."""
    changes: tuple[str, ...]
