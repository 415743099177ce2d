"""Seeded mistakes: the same machine over a hub that makes one. Each of them must be found."""

from __future__ import annotations

from contextlib import ExitStack
from unittest.mock import patch

from audiencehub.delivery import courier, gates, guards
from audiencehub.delivery.wire import Wire
from audiencehub.ledger.carry import Carried, Carrying
from audiencehub.steps import pull, push
from tests.model.machine import Machine
from tests.model.watch import Watch


class Seeded(Machine):
    """A hub in which some functions are others."""

    mistakes: tuple = ()

    def __init__(self):
        self._mistakes = ExitStack()
        for owner, name, wrong in self.mistakes:
            self._mistakes.enter_context(patch.object(owner, name, wrong))
        super().__init__()

    def teardown(self):
        try:
            super().teardown()
        finally:
            self._mistakes.close()


def _fine(*_, **__):
    return [guards.GuardResult("sources", "ok", "every source was read to its end")]


class TrustsThePlan(Seeded):
    """Consent is asked when planning and never again."""

    mistakes = ((Wire, "_barred", lambda *_: []),)


class TakesAbsenceForRemoval(Seeded):
    """Whatever a pull did not bring is gone."""

    mistakes = (
        (pull, "_whole", lambda *_: True),
        (gates, "sources", _fine),
        # The machine sees it at the pull; what is asked here is whether it sees the removals.
        (Watch, "landed", lambda *_: None),
    )


class RemovesAnyway(Seeded):
    """An incomplete pull defers nothing."""

    mistakes = ((gates, "sources", _fine),)


def _assume(wire, loader, intents):
    for one in intents:
        wire.confirm(one, "200 assumed")
    return []


class AssumesSuccess(Seeded):
    """The naive pusher: what was sent before a crash or without an answer has surely arrived."""

    mistakes = ((courier, "settle", _assume),)


def _forget(wire, loader, intents):
    wire.supersede(intents, "never sent")
    return []


class ForgetsWhatItSent(Seeded):
    """The other naive pusher: what has no answer was never sent."""

    mistakes = ((courier, "settle", _forget),)


class BelievesEveryAnswer(Seeded):
    """Nothing is read back after a push."""

    mistakes = ((push, "sweep", lambda *_: None),)


class MergesByLeavingAndEntering(Seeded):
    """A merge is a person who leaves and one who enters."""

    mistakes = ((Carrying, "carry", lambda _, entity, run_id, at: Carried(entity)),)
