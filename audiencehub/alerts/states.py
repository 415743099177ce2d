"""The machine: what a subject's state becomes when it is seen. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "critical"]
"""How a subject is now."""
State = Literal["ok", "warning", "critical", "recovered"]
"""How it stands: `recovered` is in order, after something else."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One subject as it is now. Text and instruction name targets, sources and counts, nobody."""

    kind: str
    name: str
    level: Level
    text: str
    do: str = ""
    """What a person does about it."""

    @property
    def subject(self) -> str:
        """What the state belongs to."""
        return f"{self.kind}:{self.name}" if self.name else self.kind


def after(state: State, level: Level) -> State:
    """The state that follows; another one than before is a change, and each change a message."""
    if level != "ok":
        return level
    return "recovered" if state in ("warning", "critical") else state
