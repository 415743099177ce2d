"""The vendors' fakes in one process, each with a door to start afresh, to storm and to look.

`python -m tests.torture.fakes` prints one line of JSON, vendor to address, and ends when its
standard input does.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from audiencehub.sandbox.clock import START, SandboxClock
from audiencehub.sandbox.company.records import Company, CrmAccount, CrmContact
from audiencehub.sandbox.faults import Fault, FaultScript
from audiencehub.sandbox.host import serve_app
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.store import Store
from connectors.hubspot.sandbox import HubSpotSandbox
from connectors.hubspot.sandbox.seed import record_id
from connectors.meta_ads.sandbox import MetaSandbox
from connectors.salesforce.sandbox import SalesforceSandbox
from tests.torture.company import PEOPLE, Holding
from tests.torture.storm import weather

MADE = datetime(2026, 3, 2, 8, tzinfo=UTC)
WRITES = {
    "salesforce": ("PATCH", "/composite/sobjects"),
    "hubspot": ("POST", "/batch/update"),
    "meta_ads": ("*", "/users"),
}
"""The calls that the storm is over: those that carry rows."""


def people(crm: str) -> Company:
    """As many contacts of one account as there are people."""
    blank: dict[str, Any] = dict.fromkeys(CrmContact.__dataclass_fields__)
    who = [
        {**blank, "crm": crm, "key": f"c{n:06d}", "person": f"c{n:06d}", "kind": "contact",
         "account": "a000001", "email": f"p{n}@acme.example", "last_name": f"Weiß {n}",
         "email_opt_out": False, "created_at": MADE, "modified_at": MADE}
        for n in range(PEOPLE)
    ]  # fmt: skip
    for one in who:
        for name in ("deleted", "details"):
            one.pop(name, None)
    account = CrmAccount(
        crm, "a000001", "Acme", "https://acme.example", "Software", 100, None, "Berlin", None,
        "Germany", 1999, "Customer", MADE, MADE,
    )  # fmt: skip
    return Company("Acme", 0, START, (account,), tuple(CrmContact(**one) for one in who))


class Script(FaultScript):
    """A fault script that the storm writes."""

    def __init__(self, sandbox: VendorSandbox) -> None:
        super().__init__(sandbox.store)
        self.sandbox, self.seed, self.calls, self.late = sandbox, None, 0, False

    def hit(self, method: str, path: str, body: bytes) -> Fault | None:
        """What the weather does to this call; rows are locked in the fake itself."""
        self.late = False
        wanted, part = WRITES[self.sandbox.vendor]
        if method == "GET" or wanted not in ("*", method) or part not in path:
            return None
        self.calls += 1
        if self.seed is None:
            return None
        keys = self._keys(body)
        now = weather(self.seed, self.calls, keys)
        if isinstance(self.sandbox, SalesforceSandbox):
            self.sandbox.set(locks={} if now.reset else dict.fromkeys(now.locked, 1))
        self.late = now.late
        if now.reset or now.late:
            return Fault(hang_up=True, after_apply=now.late)
        return None

    def _keys(self, body: bytes) -> list[str]:
        if self.sandbox.vendor == "meta_ads":
            return []
        said = json.loads(body)
        return [str(one["id"]) for one in said.get("records") or said.get("inputs") or []]


class Stage:
    """One vendor: a fake that is replaced for each run, and what was seen of it."""

    def __init__(self, kind: type[VendorSandbox]) -> None:
        self.kind = kind
        self.new()

    def new(self) -> list[str]:
        """A fresh fake; the record of each person."""
        store = Store()
        self.sandbox = self.kind(store, SandboxClock(store), {"alias_lag": 0})
        self.sandbox.seed(people(self.kind.vendor))
        self.script = Script(self.sandbox)
        self.sandbox.faults = self.script
        self.app = self.sandbox.app()
        self.moves: Counter[str] = Counter()
        self.writes: list[dict[str, Any]] = []
        self.known = 0
        keys = [f"c{n:06d}" for n in range(PEOPLE)]
        if isinstance(self.sandbox, SalesforceSandbox):
            return [self.sandbox.id_of("Contact", key) for key in keys]
        return [record_id(key) for key in keys]

    def holding(self) -> Holding:
        """Record to tags; for audiences hash to `in`."""
        table = self.sandbox.store.table
        if isinstance(self.sandbox, SalesforceSandbox):
            found = {k: one.get("Audiencehub_Segments__c") for k, one in table("Contact").items()}
        elif isinstance(self.sandbox, HubSpotSandbox):
            rows = self.sandbox.records.table("contacts").items()
            found = {k: one["properties"].get("audiencehub_segments") for k, one in rows}
        else:
            rows = [one for each in table("audience") for one in table(f"member:{each}").values()]
            return {one["EMAIL"]: "in" for one in rows}
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
            if scope["method"] != "GET":
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
            if isinstance(self.sandbox, MetaSandbox):
                who = json.loads(who)["EMAIL"]
            elif one.get("object") not in ("Contact", "contacts"):
                continue
            line = {"who": who, "changed": who in changed, "late": self.script.late}
            self.writes.append(line)
        self.known = len(log)


def main() -> None:
    """Serve until standard input ends."""
    with ExitStack() as stack:
        urls = {
            kind.vendor: stack.enter_context(serve_app(Stage(kind)))
            for kind in (SalesforceSandbox, HubSpotSandbox, MetaSandbox)
        }
        print(json.dumps(urls), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
