"""One pull under one spoiled answer, and what came of it, held against the law."""

from __future__ import annotations

import re
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from audiencehub.errors import Incomplete, SkipRow, Stop, Wait
from audiencehub.http.wire import Wire
from audiencehub.model import Cursor, Page, Row
from audiencehub.testing.bench import DAY, Patience
from audiencehub.testing.pulling import MALFORMED, Key, Pull, apply, live
from tests.connectors.front import Front, Spoil

LAWFUL = (Incomplete, Wait, Stop)
SILENCE = 0.2
"""Seconds that a client under test waits for the next byte."""
LONGEST, ASLEEP = 5.0, 60.0
"""Seconds after which a pull counts as hanging: of the processor, and by the clock, which runs on
while others use the machine."""
CHATTY = 300
"""Requests after which a pull of some pages counts as endless."""


def impatient(patch) -> None:
    """Give up silence soon, and let no wait last."""
    Patience().install(patch)
    true = Wire.exchange

    def exchange(self, request, *, connect, read, reply, max_body):
        return true(
            self, request, connect=connect, read=min(read, SILENCE),
            reply=min(reply, 3 * SILENCE), max_body=max_body,
        )  # fmt: skip

    patch.setattr(Wire, "exchange", exchange)


def read(part, stream, pages: Iterable[Page], into: Pull) -> list[str]:
    """The pull, as far as it comes; returns the ids of records that were set aside."""
    aside = []
    for page in pages:
        into.pages.append(page)
        for record in page.records:
            try:
                into.rows += part.rows(stream, record)
            except (SkipRow, *MALFORMED):
                aside.append(str(record.get("id") or record.get("Id")))
    return aside


@dataclass
class Ordeal:
    """Pulls of one stream, and the truth they are held against."""

    front: Front
    reader: Callable[[Pull, Cursor | None], list[str]]
    tidy: Callable[[], None] = lambda: None
    cursor: Cursor | None = None
    """Where each pull begins; None: it reads everything, and absence means deletion."""
    before: dict[Key, Row] = field(default_factory=dict)
    """What was known when the pull began."""
    truth: dict[Key, Row] = field(default_factory=dict)
    """What is there now."""
    calmly: Pull = field(default_factory=Pull)
    asked: list[tuple[str, str]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    struck: set[str] = field(default_factory=set)
    runs: int = 0

    def calm(self) -> None:
        """A healthy pull: learn the truth, and how many requests it takes."""
        self.front.heal()
        self.front.arm(lambda answer, _: None, 0)
        pull = Pull()
        aside = self.reader(pull, self.cursor)
        assert pull.pages[-1].last and pull.rows and not aside
        self.calmly, self.asked = pull, list(self.front.asked)
        self.answers = list(self.front.truths)
        self.truth = live(apply(self.before if self.cursor else {}, pull.rows))
        if self.cursor is None:
            self.before = self.truth

    def since(self) -> None:
        """The same, from a cursor on: what was known stays known."""
        self.before = dict(self.truth)
        self.calm()

    def places(self) -> list[int]:
        """Of every request that differs from others in more than its numbers, first and last."""
        shape = [(method, re.sub(r"[0-9]+", "", path)) for method, path in self.asked]
        first = {one: n for n, one in reversed(list(enumerate(shape)))}
        return sorted({*first.values(), *{one: n for n, one in enumerate(shape)}.values()})

    def fits(self, spoil: Spoil, place: int) -> bool:
        """Whether a kind changes the answer at a place."""
        self.front.before.clear()
        for number in range(place):
            self.front.before[self.answers[number].path] = self.answers[number].body
        return spoil(self.answers[place], self.front) is not None

    def run(self, name: str, spoil: Spoil, place: int, times: int = 1) -> None:
        """Spoil the answer at a place, and hold what comes of it against the law."""
        self.front.arm(spoil, place, times)
        self.runs += 1
        begun, worked = time.monotonic(), time.process_time()
        try:
            outcome = self._outcome()
        finally:
            self.front.heal()
            self.tidy()
        if outcome == "Wait":
            # A limit may have been named for the whole address.
            Patience.skipped += 400 * DAY
        if not self.front.struck:
            return
        hung = time.process_time() - worked > LONGEST or time.monotonic() - begun > ASLEEP
        if hung or len(self.front.asked) > CHATTY:
            outcome = f"goes on for ever: {len(self.front.asked)} requests"
        self.struck.add(name)
        self.outcomes[outcome] += 1
        if outcome not in ("complete", "no end", *(kind.__name__ for kind in LAWFUL)):
            where = self.front.where
            self.faults.append(f"{name} @{place} {where} x{times}: {outcome}")

    def _outcome(self) -> str:
        pull, aside = Pull(), []
        try:
            aside = self.reader(pull, self.cursor)
        except LAWFUL as error:
            kinds = [kind.__name__ for kind in LAWFUL if isinstance(error, kind)]
            said = error.message.strip() and error.hint.strip() and "\n" not in error.hint.strip()
            return self._harm(pull) or (kinds[0] if said else "no hint")
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is looked for
            at = traceback.extract_tb(error.__traceback__)[-1]
            return f"a crash, {type(error).__name__}: {error} ({at.filename}:{at.lineno})"
        if not pull.pages or not pull.pages[-1].last:
            return self._harm(pull) or "no end"
        if any(page.total is not None and len(pull.records) < page.total for page in pull.pages):
            return self._harm(pull) or "Incomplete"
        known = self.before if self.cursor else {}
        return self._differs(live(apply(known, pull.rows)), len(aside)) or "complete"

    def _harm(self, pull: Pull) -> str:
        """What a pull that did not come to its end has done all the same: removed somebody, said
        what is not so, or left what the next healthy pull does not put right."""
        after = apply(self.before, pull.rows)
        now = live(after)
        gone = (live(self.before).keys() & self.truth.keys()) - now.keys()
        odd = [k for k, row in now.items() if row not in (self.truth.get(k), self.before.get(k))]
        if gone or odd:
            return f"harm in part of a pull: {len(gone)} removed, {len(odd)} untrue"
        healed = live(apply(after if self.cursor else {}, self.calmly.rows))
        return "not healed by the next pull" if healed != self.truth else ""

    def _differs(self, said: dict[Key, Row], aside: int) -> str:
        """How what a complete pull says differs from the truth."""
        lost, strange = self.truth.keys() - said.keys(), said.keys() - self.truth.keys()
        other = [k for k in said.keys() & self.truth.keys() if said[k] != self.truth[k]]
        if not (lost or strange or other or aside):
            return ""
        counts = f"{len(lost)} lost, {len(strange)} strange, {len(other)} changed"
        return f"silent: {counts}, {aside} set aside"
