"""The destinations of the sweep: how each is set up, opened by the hub, and looked at from outside.

Nothing here asks the product what a place holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from audiencehub.settings import DestinationEntry
from tests.torture import company
from tests.torture.company import PEOPLE, Day, Holding
from tests.torture.places import BATCH, SPOTS, TOYS, Spot
from tests.torture.toyground import StormyWorld


@dataclass(frozen=True, slots=True)
class Seen:
    """A place as it is, and what was done to it."""

    holding: Holding
    moves: Counter[str]
    """Key to how often its value changed."""
    writes: list[dict[str, Any]]
    """Every row applied, oldest first: `who`, `changed` (it made a difference), `late` (its answer
    was lost)."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One destination for one run."""

    name: str
    folder: Path
    url: str = ""
    """Where the vendor's fake listens; empty for a toy."""
    keys: tuple[str, ...] = tuple(f"r{n}" for n in range(PEOPLE))
    """Each person's record."""

    @property
    def spot(self) -> Spot:
        """What it is."""
        return SPOTS[self.name]

    @property
    def kind(self) -> str:
        """`tag` or `list`."""
        return self.spot.kind

    @property
    def identifier(self) -> str:
        """What a list's members are named by: `email` or `records`."""
        return self.spot.identifier if self.url else "email"

    @property
    def target(self) -> str:
        """The target's id."""
        return f"{self.name}/list/warm" if self.kind == "list" else f"{self.name}/contact/tags"

    @property
    def batch(self) -> int:
        """Rows of a call."""
        return BATCH[self.name]

    def entry(self) -> DestinationEntry:
        """As settings name it."""
        places = None if self.kind == "list" else ["contact"]
        if self.url:
            options = dict(self.spot.stand.options)
        else:
            # Opened anew each time: a world holds what it read, and others write meanwhile.
            options = {"world": StormyWorld(self.folder / "world.sqlite")}
        connector = self.spot.connector
        return DestinationEntry(connector=connector, mode="sandbox", places=places, options=options)

    def holding(self, day: Day) -> Holding:
        """What the place must hold on that day."""
        if self.kind == "list":
            return dict.fromkeys(self.listed(day).values(), "in")
        return {self.keys[n]: value for n, value in company.tags(day).items()}

    def listed(self, day: Day) -> dict[int, str]:
        """Person to what the list must hold of them on that day: a record, or what it makes of the
        address of the day."""
        people = company.listed(day)
        if not self.url:
            return {n: company.digest(address) for n, address in people.items()}
        if self.spot.stand.record:
            return {n: self.keys[n] for n in people}
        return {n: self.spot.stand.known_as(address) for n, address in people.items()}

    def storm(self, seed: int | None) -> None:
        """Let it begin (with a seed) or end (None)."""
        if self.url:
            self._ask("POST", "storm", {"seed": seed})
            return
        world = StormyWorld(self.folder / "world.sqlite")
        world.storm(seed)
        world.close()

    def look(self) -> Seen:
        """What it holds, and what was done to it since it was made."""
        if self.url:
            found = self._ask("GET", "look")
            return Seen(found["holding"], Counter(found["moves"]), found["writes"])
        world = StormyWorld(self.folder / "world.sqlite")
        moves = Counter({key: one["n"] for key, one in world.moved.items()})
        seen = Seen(world.holding(self.kind), moves, list(world.writes.values()))
        world.close()
        return seen

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return ask(method, self.url, path, body)


def ask(method: str, url: str, path: str, body: Any = None) -> Any:
    """A word with a fake through its torture door."""
    with requests.Session() as session:
        session.trust_env = False
        reply = session.request(method, f"{url}/__torture/{path}", json=body, timeout=60)
        reply.raise_for_status()
        return reply.json()


def ground(name: str, folder: Path, urls: Mapping[str, str]) -> Ground:
    """A fresh place: nobody is tagged, nobody is on the list."""
    if name not in TOYS:
        return Ground(name, folder, urls[name], tuple(ask("POST", urls[name], "new")))
    made = Ground(name, folder)
    world = StormyWorld(folder / "world.sqlite")
    world.store.table("records").put({key: {"tags": [], "reason": ""} for key in made.keys})
    world.close()
    return made
