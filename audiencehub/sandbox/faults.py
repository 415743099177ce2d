"""The fault script of a fake (`/__faults`): which request goes wrong, and how.

A fault matches a method and a part of the path (and of the body), skips `skip` matches, then
strikes `times` times. What it does: answer with `status` (before or after the work was done),
hang up, delay, or reshape the true reply (truncate, replace its content type, empty a list).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from audiencehub.sandbox.store import Store


class HangUp(Exception):
    """Raised inside the server so that the connection closes without an answer."""


@dataclass(slots=True)
class Fault:
    """One scripted fault."""

    path: str = ""
    method: str = ""
    body_has: str = ""
    skip: int = 0
    times: int = 1
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    hang_up: bool = False
    after_apply: bool = False
    """Do the work first, then go wrong: the write happened, its answer is lost."""
    truncate: int | None = None
    """Send only this many bytes of the true body, with a matching length."""
    cut: bool = False
    """Declare the whole length and send half of the body."""
    set_json: dict[str, Any] = field(default_factory=dict)
    """Top-level keys to overwrite in the true JSON reply; null removes one."""
    content_type: str = ""

    def as_json(self) -> dict[str, Any]:
        """The fault as posted."""
        return asdict(self)

    @property
    def reshapes(self) -> bool:
        """It lets the work happen and changes the reply."""
        return bool(self.truncate is not None or self.cut or self.set_json or self.content_type)

    async def answer(self, scope: Any, receive: Any, send: Any) -> bool:
        """Answer in the vendor's place; False when this fault does not answer itself."""
        if self.hang_up:
            raise HangUp
        if self.status is None:
            return False
        raw = self.body if isinstance(self.body, str) else json.dumps(self.body)
        kind = self.content_type or ("text/html" if isinstance(self.body, str) else "application/json")
        headers = [(b"content-type", kind.encode())]
        headers += [(k.lower().encode(), v.encode()) for k, v in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": (raw if self.body is not None else "").encode()})
        return True

    async def reshape(self, reply: Any, send: Any) -> None:
        """Send the true reply, changed."""
        body: bytes = reply.body
        if self.set_json:
            document = json.loads(body)
            for key, value in self.set_json.items():
                if value is None:
                    document.pop(key, None)
                else:
                    document[key] = value
            body = json.dumps(document).encode()
        length = len(body)
        if self.truncate is not None:
            body = body[: self.truncate]
            length = len(body)
        headers = [(k, v) for k, v in reply.headers if k not in (b"content-length", b"content-type")]
        old = next((v for k, v in reply.headers if k == b"content-type"), b"application/json")
        headers.append((b"content-type", self.content_type.encode() or old))
        headers.append((b"content-length", str(length).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if self.cut:
            await send({"type": "http.response.body", "body": body[: length // 2], "more_body": True})
            raise HangUp
        await send({"type": "http.response.body", "body": body})


class FaultScript:
    """The faults of one fake, in the order they were posted; counted down as they strike."""

    def __init__(self, store: Store) -> None:
        self._table = store.table("__faults")

    def add(self, fault: Fault) -> None:
        """Append one fault."""
        self._table[f"{len(self._table):06d}"] = fault.as_json()

    def clear(self) -> None:
        """Forget them all."""
        self._table.clear()

    def all(self) -> list[Fault]:
        """Every fault, spent or not."""
        return [Fault(**entry) for entry in self._table.values()]

    def hit(self, method: str, path: str, body: bytes) -> Fault | None:
        """The fault that strikes this request, counted down; None when all is well."""
        for key, entry in list(self._table.items()):
            fault = Fault(**entry)
            if fault.times <= 0 or (fault.method and fault.method != method):
                continue
            if fault.path not in path or fault.body_has.encode() not in body:
                continue
            if fault.skip > 0:
                self._table[key] = {**entry, "skip": fault.skip - 1}
                continue
            self._table[key] = {**entry, "times": fault.times - 1}
            return fault
        return None
