"""Uploads sent one by one, each in a session of its own, until every row has its receipt."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from audiencehub.connector import unsettled
from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.model import Change, Receipt
from connectors.meta_ads.graph import Graph
from connectors.meta_ads.upload import Outcome, Upload, outcome

EXTRA_CALLS = 60
"""Further uploads that one batch may cost to find invalid rows that Meta does not name."""
FAULTS = (OutcomeUnknown, BatchRefused, Wait, Stop)


class Sender:
    """The uploads of one process."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        # Meta adds up a session's counts, and a run that was killed may have used the same clock.
        self._nonce, self._uploads = secrets.token_hex(8), 0

    def settle(
        self, name: str, audience: str, upload: Upload, changes: Sequence[Change]
    ) -> dict[int, Receipt]:
        """Every row's receipt. Invalid rows that Meta does not name are found by halving."""
        receipts: dict[int, Receipt] = {}
        waiting, left = [upload], EXTRA_CALLS + 1
        while waiting:
            part = waiting.pop(0)
            try:
                if not left:
                    raise Wait("Too many invalid rows to find at once.", hint="Run again")
                left -= 1
                found, proof = self.send(name, audience, part)
            except FAULTS as error:
                if not receipts and part is upload:
                    raise
                receipts |= left_open(part, changes, error)
                continue
            for number, why in found.invalid.items():
                for place in part.places[number]:
                    receipts[place] = Receipt(changes[place].member, "rejected", reason=why)
            rest = part.part([n for n in range(len(part.rows)) if n not in found.invalid])
            if found.unnamed and len(rest.rows) > 1:
                waiting += rest.halves()
            elif found.unnamed and rest.rows:
                waiting.append(rest)
            else:
                for place in (p for places in rest.places for p in places):
                    receipts[place] = Receipt(changes[place].member, "confirmed", proof=proof)
        return receipts

    def send(self, name: str, audience: str, upload: Upload) -> tuple[Outcome, str]:
        """One upload in a session of its own; what Meta says of its rows, and the proof."""
        self._uploads += 1
        session = upload.session(name, audience, self._nonce, str(self._uploads))
        reply, body = self._graph.exchange(
            "DELETE" if upload.op == "remove" else "POST",
            f"{audience}/users",
            {
                "session": {
                    "session_id": session,
                    "batch_seq": 1,
                    "last_batch_flag": True,
                    "estimated_num_total": len(upload.rows),
                },
                "payload": upload.payload(),
            },
            rows=True,
        )
        found = outcome(upload, body)
        ours = str(body.get("audience_id", audience)) == audience
        if found is None or not ours or str(body.get("session_id", session)) != str(session):
            raise OutcomeUnknown(
                f"Meta's answer to {len(upload.rows)} rows counts others.",
                hint="Run again: the same rows are sent anew",
            )
        digest = hashlib.sha256(reply.content).hexdigest()[:16]
        return found, f"{reply.status} session {session} reply {digest}"


def left_open(upload: Upload, changes: Sequence[Change], error: Exception) -> dict[int, Receipt]:
    """Receipts of rows whose upload failed after others were through."""
    verdict, reason = unsettled(error)
    return {
        place: Receipt(changes[place].member, verdict, reason=reason)
        for places in upload.places
        for place in places
    }
