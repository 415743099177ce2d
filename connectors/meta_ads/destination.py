"""Writes custom audiences. No member can be read back, so that only Meta's counts are proof."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from audiencehub.connector import Capabilities, Context, Destination
from audiencehub.errors import (
    BatchRefused,
    Incomplete,
    OutcomeUnknown,
    Stop,
    Wait,
)
from audiencehub.http import Bearer, HttpClient, Policy, Reply, hide, limiter_for
from audiencehub.model import Change, Need, Quota, Receipt, TagOption, Target, Verdict
from connectors.meta_ads import faults
from connectors.meta_ads.options import Options
from connectors.meta_ads.upload import MOST_ROWS, Upload, outcome, prepare

HOST = "https://graph.facebook.com"
MARK = re.compile(r"\[([0-9a-f]{12}:[0-9]+)\]$")
EXTRA_CALLS = 60
"""Further uploads that one batch may cost to find invalid rows that Meta does not name."""
_HANDLED = frozenset({200, 400, 401, 403, 404})
_BATCH_FAULTS = (OutcomeUnknown, BatchRefused, Wait, Stop)


class MetaAds(Destination):
    """One custom audience per segment, kept by adding and removing hashed identifiers."""

    can: ClassVar[Capabilities] = Capabilities(
        kinds=frozenset({"list"}),
        batch_size=MOST_ROWS,
        platform="meta",
        identifiers=("email", "phone", "first_name", "last_name", "zip", "country", "external_id"),
        need=Need("advertising", "ads"),
        minimum=100,
        remembers=True,
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.options = Options(**context.options)
        base = context.base_url or HOST
        self._client = HttpClient(
            base,
            auth=Bearer(lambda: context.secret("token")),
            policy=Policy(throttle=_not_known_yet),
            limiter=limiter_for((base, self.options.account), rate=20, burst=20),
        )
        # Meta adds up a session's counts, and a run that was killed may have used the same clock.
        self._nonce, self._uploads = secrets.token_hex(8), 0
        self._usage: list[Mapping[str, Any]] = []

    def check(self) -> str:
        """One read of the ad account. Raises Stop without access or accepted terms."""
        account = self.options.account
        found = self._call("GET", account, {"fields": "name,account_status,tos_accepted"})
        if not (found.get("tos_accepted") or {}).get("custom_audience_tos"):
            raise faults.error_of({"code": 2655}, {}, account, writes=False)
        if found.get("account_status") == 2:
            raise Stop(f"The ad account {account} is disabled.", hint="Reopen it in Ads Manager")
        return f"ad account {account}, API {self.options.api_version}, terms accepted"

    def ensure(
        self,
        target: Target,
        options: Sequence[TagOption],  # noqa: ARG002 - lists have none
    ) -> Mapping[str, str]:
        """`{"audience_id": …}`: the audience remembered, else the one marked as ours, else new.

        Another's audience of the same name is never taken over. One that was deleted by hand is
        not made again. Raises Stop, Wait, OutcomeUnknown (the next call finds what was made).
        """
        known = target.remote.get("audience_id") or self._marked(target)
        if not known:
            made = self._call(
                "POST",
                f"{self.options.account}/customaudiences",
                {
                    "name": target.label or target.place,
                    "subtype": "CUSTOM",
                    "description": self._description(target),
                    "customer_file_source": self.options.customer_file_source,
                },
            )
            known = str(made.get("id") or "")
            if not known.isdecimal():
                raise OutcomeUnknown(
                    "Meta made an audience but named none.",
                    hint="Run again: it is found by its description",
                )
        found = self._call("GET", known, {"fields": "name,operation_status"})
        if (found.get("operation_status") or {}).get("code") == 471:
            raise faults.error_of({"error_subcode": 1713230}, {}, known, writes=False)
        return {"audience_id": known}

    def apply(self, target: Target, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Add and remove people. Once a first upload is through, faults become receipts."""
        audience = self._audience(target)
        uploads, receipts = prepare(changes)
        sent = False
        for upload in uploads:
            try:
                receipts |= self._settle(target, audience, upload, changes)
            except _BATCH_FAULTS as error:
                if not sent:
                    raise
                receipts |= _unsettled(upload, changes, error)
            sent = True
        return [receipts[place] for place in range(len(changes))]

    def calls(self, target: Target, total: int) -> int:
        """Two uploads a batch at most: people with and without an id of the company's own go apart.
        Rows that Meta calls invalid without naming them cost more."""
        return min(total, 2 * super().calls(target, total))

    def remember(self, target: Target, mark: str) -> None:
        """In the audience's description, behind the mark that it is found by."""
        said = f"Kept by {self.options.namespace}. {self._mark(target)} [{mark}]"
        self._call("POST", self._audience(target), {"description": said})

    def recall(self, target: Target) -> str | None:
        """What the audience's description ends with; None without an audience or a line."""
        known = target.remote.get("audience_id") or self._marked(target)
        if not known:
            return None
        said = self._call("GET", known, {"fields": "description"}).get("description")
        found = MARK.search(str(said or ""))
        return found[1] if found else None

    def setting_up(self, target: Target) -> int:
        """A look at the audience; before the first time it is looked for and made. Each further
        hundred audiences of the account cost a call more."""
        return 1 if target.remote else 3

    def quota(self) -> Quota | None:
        """Percent of the ad account's hourly allowance left, from the last reply that told; a look
        at the account where none did. Uploads do not tell (Marketing API, "Rate Limiting")."""
        if not self._usage:
            self._call("GET", self.options.account, {"fields": "id"})
        if not self._usage:
            return None
        used = max(
            int(entry.get(name) or 0)
            for entry in self._usage
            for name in ("call_count", "total_cputime", "total_time")
        )
        minutes = max(int(e.get("estimated_time_to_regain_access") or 0) for e in self._usage)
        return Quota(
            "the ad account's hourly allowance",
            100,
            max(0, 100 - used),
            f"in {minutes} min" if minutes else "",
            unit="percent",
        )

    def _audience(self, target: Target) -> str:
        audience = target.remote.get("audience_id")
        if not audience:
            raise Stop(f"{target.id} has no audience yet.", hint="Run: audiencehub sync")
        return audience

    def _settle(
        self, target: Target, audience: str, upload: Upload, changes: Sequence[Change]
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
                found, proof = self._send(target, audience, part)
            except _BATCH_FAULTS as error:
                if not receipts and part is upload:
                    raise
                receipts |= _unsettled(part, changes, error)
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

    def _send(self, target: Target, audience: str, upload: Upload) -> tuple[Any, str]:
        """One upload in a session of its own; what Meta says of its rows, and the proof."""
        self._uploads += 1
        session = upload.session(target.id, audience, self._nonce, str(self._uploads))
        reply, body = self._exchange(
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

    def _call(self, method: str, path: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._exchange(method, path, params)[1]

    def _exchange(
        self, method: str, path: str, params: Mapping[str, Any], *, rows: bool = False
    ) -> tuple[Reply, Mapping[str, Any]]:
        """One call; parameters of a write travel in the body, never in the address."""
        writes = method != "GET"
        params = {**params, **self._proof()}
        try:
            reply = self._client.request(
                method,
                f"{self.options.api_version}/{path}",
                accept=_HANDLED,
                writes=writes,
                json=params if writes else None,
                params=None if writes else params,
            )
            body = reply.json()
        except Incomplete as error:
            raise Wait(error.message, hint="Run again later") from None
        self._usage = faults.usage(reply.headers) or self._usage
        if not isinstance(body, dict) or (reply.status != 200 and "error" not in body):
            body = {"error": {"code": 1}}
        if "error" in body:
            raise faults.error_of(
                body["error"], reply.headers, reply.what, writes=writes, rows=rows
            )
        return reply, body

    def _proof(self) -> dict[str, str]:
        """`appsecret_proof` (Graph API, "Securing Requests"), where the app has a secret set."""
        if self.options.app_secret is None:
            return {}
        secret, token = (self.context.secret(name) for name in ("app_secret", "token"))
        hide(secret)
        proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        return {"appsecret_proof": hide(proof)}

    def _marked(self, target: Target) -> str | None:
        """The audience made for this target in a run that did not live to remember it."""
        mark, after, seen = self._mark(target), "", set[str]()
        ours: list[str] = []
        while True:
            page = self._call(
                "GET",
                f"{self.options.account}/customaudiences",
                {
                    "fields": "name,description",
                    "limit": 100,
                    **({"after": after} if after else {}),
                },
            )
            data, paging = page.get("data"), page.get("paging") or {}
            if not isinstance(data, list):
                raise Wait("Meta's list of audiences is unreadable.", hint="Run again later")
            ours += [str(one["id"]) for one in data if mark in str(one.get("description") or "")]
            if not paging.get("next"):
                return min(ours, key=int, default=None)
            after = str((paging.get("cursors") or {}).get("after") or "")
            if not after or after in seen:
                raise Wait("Meta's list of audiences does not end.", hint="Run again later")
            seen.add(after)

    def _mark(self, target: Target) -> str:
        text = f"{self.options.namespace}|{target.id}"
        return f"[ah:{hashlib.sha256(text.encode()).hexdigest()[:16]}]"

    def _description(self, target: Target) -> str:
        return f"Kept by {self.options.namespace}; edit the rule instead. {self._mark(target)}"


def _unsettled(upload: Upload, changes: Sequence[Change], error: Exception) -> dict[int, Receipt]:
    """Receipts of rows whose upload failed after others were through."""
    verdict: Verdict = "unknown" if isinstance(error, OutcomeUnknown) else "retry"
    code = type(error).__name__.lower()
    return {
        place: Receipt(changes[place].member, verdict, reason=f"{code}: upload not settled")
        for places in upload.places
        for place in places
    }


def _not_known_yet(reply: Reply) -> float | None:
    """803: a new audience that this server does not know yet; the call was not carried out."""
    return 0.0 if reply.code == "803" else None
