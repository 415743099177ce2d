"""The fault script of a fake (`/__faults`): which request goes wrong, and how.

A fault matches a method and a part of path and query (and of the body), skips `skip` matches, then
strikes `times` times. What it does: answer with `status` (before or after the work was done),
hang up, delay, or reshape the true reply (truncate, replace its content type, empty a list, shuffle
or thin out its verdicts), or acknowledge what it then does not keep.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from starlette.types import Send

from audiencehub.sandbox.lies import rearranged
from audiencehub.sandbox.store import Store


class HangUp(Exception):
    """Raised inside the server so that the connection closes without an answer."""


class Reply(Protocol):
    """A true reply, held back."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


_OF_THE_BODY = (b"content-length", b"content-type")


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
    rows: str = ""
    """Where the list of the true JSON reply lies that the next four are about: `results`, a dotted
    path, or `.` where the reply itself is the list."""
    shuffle: int | None = None
    """Seed of another order."""
    drop: int = 0
    """So many rows are left out."""
    repeat: int = 0
    """So many rows come twice."""
    strange: int = 0
    """So many rows come under ids of nobody."""
    lie: float = 0
    """Share of the records that the request changed (at least one) which are put back behind the
    true reply: acknowledged, and not kept."""
    seed: int = 0
    """Which of them."""

    def as_json(self) -> dict[str, Any]:
        """The fault as posted."""
        return asdict(self)

    @property
    def reshapes(self) -> bool:
        """It lets the work happen and changes the reply."""
        return bool(
            self.truncate is not None
            or self.cut
            or self.set_json
            or self.content_type
            or self.rows
            or self.lie
        )

    async def answer(self, send: Send) -> bool:
        """Answer in the vendor's place; False when this fault does not answer itself.

        Raises HangUp where it closes the connection.
        """
        if self.hang_up:
            raise HangUp
        if self.status is None:
            return False
        raw = self.body if isinstance(self.body, str) else json.dumps(self.body)
        content = b"" if self.body is None else raw.encode()
        kind = self.content_type or (
            "text/html" if isinstance(self.body, str) else "application/json"
        )
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(content))]
        headers += [(k.lower().encode(), v.encode()) for k, v in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})
        return True

    async def reshape(self, reply: Reply, send: Send) -> None:
        """Send the true reply, changed. Raises HangUp in the middle of it where `cut`."""
        body = self._changed(reply.body)
        sent = body if self.truncate is None else body[: self.truncate]
        headers = [(k, v) for k, v in reply.headers if k not in _OF_THE_BODY]
        kind = next((v for k, v in reply.headers if k == b"content-type"), b"")
        kind = self.content_type.encode() or kind
        headers += [(b"content-type", kind)] if kind else []
        headers += [(b"content-length", b"%d" % len(sent))]
        headers += [(k.lower().encode(), v.encode()) for k, v in self.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if self.cut:
            half = sent[: len(sent) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            raise HangUp
        await send({"type": "http.response.body", "body": sent})

    def _changed(self, body: bytes) -> bytes:
        if not self.set_json and not self.rows:
            return body
        document = json.loads(body)
        if self.rows:
            document = rearranged(
                document,
                self.rows,
                seed=self.shuffle,
                drop=self.drop,
                repeat=self.repeat,
                strange=self.strange,
            )
        for key, value in self.set_json.items():
            if value is None:
                document.pop(key, None)
            else:
                document[key] = value
        return json.dumps(document).encode()


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
