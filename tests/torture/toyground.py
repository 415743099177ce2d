"""The toy places of the delivery tests, with a storm over them and every write on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.delivery import toys
from tests.torture.company import Holding
from tests.torture.storm import Weather, weather

LIST = "aud-warm"


class Watched:
    """A table of the toy world that tells of each assignment."""

    def __init__(self, table: Any, told: Callable[[str, Any, Any], None]) -> None:
        self.table, self.told = table, told

    def __getitem__(self, key: str) -> Any:
        return self.table[key]

    def __setitem__(self, key: str, document: Any) -> None:
        before = self.table.get(key, {})
        self.table[key] = document
        self.told(key, before, document)

    def __contains__(self, key: object) -> bool:
        return key in self.table


class StormyWorld(toys.World):
    """A toy world whose faults come from the storm, and which keeps a log of every write."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.records = Watched(self.records, self._tagged)
        self.lists = Watched(self.lists, self._listed)
        self.state, self.moved = self.store.table("state"), self.store.table("moved")
        self._weather: Weather | None = None
        self._changed = False

    def storm(self, seed: int | None) -> None:
        """Let it begin, or end."""
        self.state["storm"] = {"seed": seed}

    def strikes(self, kind: str, members: Iterable[str]) -> bool:
        """Whether the weather does that to this call; each call begins by asking for `wait`."""
        members = list(members)
        if kind == "wait":
            number = self.state.get("calls", {}).get("n", 0) + 1
            self.state["calls"] = {"n": number}
            seed = self.state.get("storm", {}).get("seed")
            self._weather = None if seed is None else weather(seed, number, members)
        now = self._weather
        if now is None:
            return False
        locked = bool(now.locked.intersection(members))
        return {"no_apply": now.reset, "lost_answer": now.late, "lock": locked}.get(kind, False)

    def wrote(self, target: str, member: str, op: str) -> None:
        """One line of the log, after the write itself."""
        late = self._weather is not None and self._weather.late
        line = {"who": member, "changed": self._changed, "late": late}
        self.writes[f"{len(self.writes):06d}"] = line
        self._changed = False

    def _tagged(self, key: str, before: Any, after: Any) -> None:
        self._moves([key] if before.get("tags", []) != after["tags"] else [])

    def _listed(self, _: str, before: Any, after: Any) -> None:
        self._moves(sorted(before.keys() ^ after.keys()))

    def _moves(self, keys: list[str]) -> None:
        self._changed = bool(keys)
        for key in keys:
            self.moved[key] = {"n": self.moved.get(key, {}).get("n", 0) + 1}

    def holding(self, kind: str) -> Holding:
        """What is tagged (`tag`), or who is on the list."""
        if kind == "tag":
            held = {key: ";".join(one["tags"]) for key, one in self.records.table.items()}
            return {key: value for key, value in held.items() if value}
        return dict.fromkeys(self.lists.table.get(LIST, {}), "in")
