"""All fakes of one environment in one process: one clock, one company, a control door."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from audiencehub.errors import ConfigError
from audiencehub.sandbox.clock import START, SandboxClock
from audiencehub.sandbox.company import Company, generate, tomorrow
from audiencehub.sandbox.company.realdata import REAL_START, locate, realdata_company
from audiencehub.sandbox.drops import write_drops
from audiencehub.sandbox.host import serve, serve_app
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.store import Store
from audiencehub.settings import Settings

CONTROL = "control"


class SandboxHost:
    """The fakes of an environment; their state lies in `<settings.folder>/sandbox`."""

    def __init__(self, settings: Settings, vendors: Mapping[str, type[VendorSandbox]]) -> None:
        if settings.sandbox is None:
            raise ConfigError(
                f"The environment {settings.env} has no sandbox.",
                hint="Use --env sandbox, or add [sandbox] to its settings",
            )
        self.world, self.vendors = settings.sandbox, dict(sorted(vendors.items()))
        self.folder = settings.folder / "sandbox"
        self.sandboxes: dict[str, VendorSandbox] = {}
        self._lock = RLock()

    @contextmanager
    def run(self, port_base: int = 0) -> Iterator[dict[str, str]]:
        """Serves until the block ends: `{vendor: url, "control": url}`, also in `urls.json`.

        A `port_base` of n gives the control door port n and the vendors n+1 … in order of their
        names; 0 takes free ports. What is not there yet is seeded first. Raises ConfigError when
        another process serves this folder, or when its state was made for another world.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(_alone(self.folder))
            self._open(stack)
            ports = iter(range(port_base + 1, port_base + 1 + len(self.sandboxes)))
            urls = {
                vendor: stack.enter_context(serve(sandbox, next(ports) if port_base else 0))
                for vendor, sandbox in self.sandboxes.items()
            }
            urls[CONTROL] = stack.enter_context(serve_app(self._control(urls), port_base))
            _publish(self.folder / "urls.json", {**urls, "pid": os.getpid()})
            stack.callback((self.folder / "urls.json").unlink, missing_ok=True)
            yield urls

    @property
    def day(self) -> int:
        """The day that every fake has reached."""
        return int(self._state["day"]["day"])

    @cached_property
    def company(self) -> Company:
        """The company on that day."""
        company = self._first_day
        while company.day < self.day:
            company = tomorrow(company, self.world.seed)
        return company

    def next_day(self) -> dict[str, Any]:
        """One day passes everywhere: `{"now", "day", "files"}`, the files those that arrived."""
        with self._lock:
            self.clock.next_day()
            files = self._catch_up()
            return {**self.time(), "files": [path.name for path in files]}

    def reset(self) -> dict[str, Any]:
        """Everything as on the first morning; what destinations wrote is forgotten."""
        with self._lock:
            for sandbox in self.sandboxes.values():
                sandbox.store.clear()
                sandbox.requests.clear()
            for path in (self.folder / "drops").glob("*"):
                path.unlink()
            self._state.clear()
            self.__dict__.pop("company", None)
            self.clock.set(_start(self.world.world), 0)
            self._seed()
            return self.time()

    def time(self) -> dict[str, Any]:
        """`{"now": ISO instant, "day": n}`."""
        return {"now": self.clock.now().isoformat(), "day": self.clock.day}

    def _open(self, stack: ExitStack) -> None:
        shared = Store(self.folder / "clock.sqlite")
        stack.callback(shared.close)
        self.clock = SandboxClock(shared, _start(self.world.world))
        self._state = shared.table("host")
        made_for = self._state.get("world")
        if made_for is not None and made_for != self.world.model_dump():
            raise ConfigError(
                f"The fakes in {self.folder} were made for another [sandbox] setting.",
                hint="Restore the setting, or remove that environment's folder to begin anew",
            )
        for vendor, kind in self.vendors.items():
            store = Store(self.folder / f"{vendor}.sqlite")
            stack.callback(store.close)
            self.sandboxes[vendor] = kind(store, self.clock)
        self._seed()
        self._catch_up()

    def _seed(self) -> None:
        """Fills the fakes that are new; one that was interrupted in it begins again."""
        self._state.setdefault("day", {"day": 0})
        seeded = dict(self._state.get("seeded", {}))
        for vendor, sandbox in self.sandboxes.items():
            if vendor not in seeded:
                sandbox.store.clear()
                sandbox.seed(self.company)
                seeded[vendor] = True
                self._state["seeded"] = dict(seeded)
        if "drops" not in seeded:
            write_drops(self.folder / "drops", self.company)
            self._state["seeded"] = {**seeded, "drops": True}
        self._state["world"] = self.world.model_dump()

    def _catch_up(self) -> list[Path]:
        """Brings fakes and files to the clock's day; also after a kill in the middle of it."""
        files: list[Path] = []
        while self.day < self.clock.day:
            before = self.company
            after = tomorrow(before, self.world.seed)
            for sandbox in self.sandboxes.values():
                sandbox.advance(before, after)
            files += write_drops(self.folder / "drops", after, before)
            self._state["day"] = {"day": after.day}
            self.company = after
        return files

    @cached_property
    def _first_day(self) -> Company:
        if self.world.world == "realdata":
            return realdata_company(*locate())
        return generate(self.world.seed, self.world.contacts, self.world.accounts)

    def _control(self, urls: Mapping[str, str]) -> Starlette:
        def clock(_: Request) -> JSONResponse:
            return JSONResponse(self.time())

        def next_day(_: Request) -> JSONResponse:
            return JSONResponse(self.next_day())

        def reset(_: Request) -> JSONResponse:
            return JSONResponse(self.reset())

        def addresses(_: Request) -> JSONResponse:
            return JSONResponse({**urls, "pid": os.getpid()})

        return Starlette(
            routes=[
                Route("/__clock", clock, methods=["GET"]),
                Route("/__next_day", next_day, methods=["POST"]),
                Route("/__reset", reset, methods=["POST"]),
                Route("/__urls", addresses, methods=["GET"]),
            ]
        )


def held(folder: Path) -> bool:
    """Whether some process serves this folder's fakes, or is about to."""
    try:
        with _alone(folder, tries=1):
            return False
    except ConfigError:
        return True


@contextmanager
def _alone(folder: Path, tries: int = 20) -> Iterator[None]:
    """Holds the folder against a second host; the system lets go of it when this process dies.

    Tries for half a second, since `held` takes the lock for a moment too.
    """
    with (folder / "host.lock").open("a") as lock:
        for left in range(tries - 1, -1, -1):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if left:
                    time.sleep(0.025)
        else:
            raise ConfigError(
                f"The sandbox of {folder} is running already.",
                hint="Use it (its addresses are in urls.json there), or stop it first",
            )
        yield


def _start(world: str) -> datetime:
    return REAL_START if world == "realdata" else START


def _publish(path: Path, document: Mapping[str, Any]) -> None:
    half = path.with_suffix(".part")
    half.write_text(json.dumps(document, indent=2), "utf-8")
    half.rename(path)
