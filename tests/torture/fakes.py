"""The vendors' fakes in one process, each with a door to start afresh, to storm and to look.

`python -m tests.torture.fakes` prints one line of JSON, vendor to address, and ends when its
standard input does.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from contextlib import ExitStack
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from audiencehub import connector
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.faults import Fault, FaultScript
from audiencehub.sandbox.host import serve_app
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.store import Store
from connectors.hubspot.sandbox import HubSpotSandbox
from connectors.salesforce.sandbox import SalesforceSandbox
from tests.platforms import crm
from tests.torture.company import PEOPLE, Holding
from tests.torture.places import SPOTS, VENDORS, Spot
from tests.torture.storm import weather


class Script(FaultScript):
    """A fault script that the storm writes."""

    def __init__(self, sandbox: VendorSandbox, spot: Spot) -> None:
        super().__init__(sandbox.store)
        self.spot = spot
        self.sandbox, self.seed, self.calls, self.late = sandbox, None, 0, False

    def hit(self, method: str, path: str, body: bytes) -> Fault | None:
        """What the weather does to this call; rows are locked in the fake itself."""
        self.late = False
        wanted, part = self.spot.writes
        if not re.fullmatch(wanted, method) or not re.search(part, path.partition("?")[0]):
            return None
        self.calls += 1
        if self.seed is None:
            return None
        keys = self._keys(body)
        now = weather(self.seed, self.calls, keys)
        if self.spot.connector == "salesforce" and self.spot.kind == "tag":
            cast(SalesforceSandbox, self.sandbox).set(
                locks={} if now.reset else dict.fromkeys(now.locked, 1)
            )
        self.late = now.late
        if now.reset or now.late:
            return Fault(hang_up=True, after_apply=now.late)
        return None

    def _keys(self, body: bytes) -> list[str]:
        if self.spot.kind == "list":
            return []
        said = json.loads(body)
        return [str(one["id"]) for one in said.get("records") or said.get("inputs") or []]


class Stage:
    """One vendor: a fake that is replaced for each run, and what was seen of it."""

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.kind = connector.load(str(connector.spec(spot.connector).sandbox))
        self.new()

    def new(self) -> list[str]:
        """A fresh fake; the record of each person, where it keeps records."""
        store, spot = Store(), self.spot
        self.sandbox: VendorSandbox = self.kind(store, SandboxClock(store), dict(spot.stand.fake))
        self.sandbox.seed(crm.people(spot.connector, PEOPLE))
        self.script = Script(self.sandbox, spot)
        self.sandbox.faults = self.script
        self.app = self.sandbox.app()
        self.moves: Counter[str] = Counter()
        self.writes: list[dict[str, Any]] = []
        self.known = 0
        record = spot.stand.record
        return [record(self.sandbox, n) for n in range(PEOPLE)] if record else [""] * PEOPLE

    def holding(self) -> Holding:
        """Record to tags; for lists whom they hold, as the platform names them, to `in`."""
        table = self.sandbox.store.table
        if self.spot.kind == "list":
            return dict.fromkeys(self.spot.stand.held(self.sandbox), "in")
        if isinstance(self.sandbox, HubSpotSandbox):
            rows = self.sandbox.records.table("contacts").items()
            found = {k: one["properties"].get("audiencehub_segments") for k, one in rows}
        else:
            found = {k: one.get("Audiencehub_Segments__c") for k, one in table("Contact").items()}
        return {k: ";".join(sorted(v.split(";"))) for k, v in found.items() if v}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith("/__torture/"):
            request = Request(scope, receive)
            reply = JSONResponse(await self._door(path.rpartition("/")[2], request))
            await reply(scope, receive, send)
            return
        before = self.holding()
        try:
            await self.app(scope, receive, send)
        finally:
            # After a look too: some do their work when they are asked for it.
            self._note(before)

    async def _door(self, what: str, request: Request) -> Any:
        if what == "new":
            return self.new()
        if what == "storm":
            self.script.seed = (await request.json())["seed"]
            return {}
        return {"holding": self.holding(), "moves": self.moves, "writes": self.writes}

    def _note(self, before: Holding) -> None:
        after = self.holding()
        changed = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
        self.moves.update(changed)
        log = list(self.sandbox.store.table("__writes").values())
        for one in log[self.known :]:
            who = one["member"]
            if self.spot.kind == "tag" and one.get("object") not in ("Contact", "contacts"):
                continue
            made = one.get("changed", self._named(one, changed))
            self.writes.append({"who": who, "changed": made, "late": self.script.late})
        self.known = len(log)

    def _named(self, line: dict[str, Any], changed: set[str]) -> bool:
        """Whether a line of the log is about one of these."""
        if self.spot.kind == "tag":
            return line["member"] in changed
        return any(one in self.spot.stand.told(self.sandbox, line) for one in changed)


def main() -> None:
    """Serve until standard input ends."""
    with ExitStack() as stack:
        urls = {name: stack.enter_context(serve_app(Stage(SPOTS[name]))) for name in VENDORS}
        print(json.dumps(urls), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
