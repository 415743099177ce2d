"""One pull under one spoiled answer, and what came of it."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from audiencehub.errors import Incomplete, SkipRow, Stop, Wait
from audiencehub.http.wire import Wire
from audiencehub.model import Page, Row
from audiencehub.testing.bench import DAY, Patience
from audiencehub.testing.pulling import MALFORMED, Key, Pull
from tests.connectors.front import Front, Spoil

LAWFUL = (Incomplete, Wait, Stop)
SILENCE = 0.3
"""Seconds that a client under test waits for the next byte."""


def impatient(patch) -> None:
    """Give up silence soon, and let no wait last."""
    Patience().install(patch)
    true = Wire.exchange

    def exchange(self, request, *, connect, read, reply, max_body):
        return true(
            self, request, connect=connect, read=min(read, SILENCE),
            reply=min(reply, 4 * SILENCE), max_body=max_body,
        )  # fmt: skip

    patch.setattr(Wire, "exchange", exchange)


def said(part, stream, pages: Iterable[Page]) -> tuple[Pull, list[str]]:
    """The pull, and the ids of records that were set aside."""
    pull, aside = Pull(), []
    for page in pages:
        pull.pages.append(page)
        for record in page.records:
            try:
                pull.rows += part.rows(stream, record)
            except (SkipRow, *MALFORMED):
                aside.append(str(record.get("id") or record.get("Id")))
    return pull, aside


@dataclass
class Ordeal:
    """Pulls of one stream, and the truth they are held against."""

    front: Front
    pull: Callable[[], tuple[Pull, list[str]]]
    truth: dict[Key, Row] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    struck: set[str] = field(default_factory=set)

    def calm(self) -> None:
        """Learn the truth, and how many requests it takes."""
        self.front.heal()
        self.front.asked.clear()
        pull, aside = self.pull()
        assert pull.pages[-1].last and pull.rows and not aside
        self.truth, self.asked = pull.live, list(self.front.asked)

    def places(self) -> list[int]:
        """Of every request that differs from others in more than its numbers, first and last."""
        shape = [(method, re.sub(r"[0-9]+", "", path)) for method, path in self.asked]
        first = {one: n for n, one in reversed(list(enumerate(shape)))}
        return sorted({*first.values(), *{one: n for n, one in enumerate(shape)}.values()})

    def run(self, name: str, spoil: Spoil, place: int, times: int = 1) -> None:
        """Spoil the answer at a place, and hold what comes of it against the law."""
        self.front.arm(spoil, place, times)
        try:
            outcome = self._outcome()
        finally:
            self.front.heal()
            Patience.skipped += 400 * DAY
        if not self.front.struck:
            return
        self.struck.add(name)
        self.outcomes[outcome] += 1
        if outcome not in ("complete", "no end", *(kind.__name__ for kind in LAWFUL)):
            where = self.front.where
            self.faults.append(f"{name} @{place} {where} x{times}: {outcome}")

    def _outcome(self) -> str:
        try:
            pull, aside = self.pull()
        except LAWFUL as error:
            kinds = [kind.__name__ for kind in LAWFUL if isinstance(error, kind)]
            return kinds[0] if error.message.strip() and error.hint.strip() else "no hint"
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is looked for
            at = traceback.extract_tb(error.__traceback__)[-1]
            return f"a crash, {type(error).__name__}: {error} ({at.filename}:{at.lineno})"
        if not pull.pages or not pull.pages[-1].last:
            return "no end"
        if any(page.total is not None and len(pull.records) < page.total for page in pull.pages):
            return "Incomplete"
        if pull.live == self.truth and not aside:
            return "complete"
        lost, strange = self.truth.keys() - pull.live.keys(), pull.live.keys() - self.truth.keys()
        other = [k for k in pull.live.keys() & self.truth.keys() if pull.live[k] != self.truth[k]]
        counts = f"{len(lost)} lost, {len(strange)} strange, {len(other)} changed"
        return f"silent: {counts}, {len(aside)} set aside"
