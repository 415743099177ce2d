"""The machine must find seeded mistakes: a model that finds nothing proves nothing.

Each mistake is told in a few steps of the machine, which find nothing in the hub as it is.
"""

from __future__ import annotations

import pytest

from tests.model import controls
from tests.model.machine import KEYS, Machine

WARM = [("warm", "granted")] * 5


def withdrawn(machine):
    """People say no when all is planned and approved, and the list is about to be sent."""
    machine.begin(people=WARM, released=False)
    machine.approve()
    machine.withdraw_meanwhile(pages="delta", who=list(KEYS[:2]), door="push-ads")


def emptied(machine):
    """The source answers with nobody."""
    machine.begin(people=WARM, released=True)
    machine.run_on_a_bad_pull(pages="empty")
    machine.approve()
    machine.apply()


def leaving(machine):
    """Somebody no longer matches, and the source breaks off after saying so."""
    machine.begin(people=WARM, released=True)
    machine.edit(key=KEYS[0], title="hot")
    machine.edit(key=KEYS[1], title="plain")
    machine.run_on_a_bad_pull(pages="cut")
    machine.approve()
    machine.apply()


def killed(machine):
    """The run dies before the first call, which the ledger has as sent."""
    machine.begin(people=WARM, released=False)
    machine.company.approve()
    machine.company.apply(armed=("after_sent", 1))
    machine.run(pages="delta")


def unanswered(machine):
    """Writes arrive, and their answers do not."""
    machine.begin(people=WARM, released=False)
    machine.fault(kind="lost_after", key=None, times=4)
    machine.approve()
    machine.apply()


def lied_to(machine):
    """The CRM says yes and writes nothing."""
    machine.begin(people=WARM, released=True)
    machine.edit(key=KEYS[0], title="warm hot")
    machine.fault(kind="lie", key=KEYS[0], times=1)
    machine.run(pages="delta")


def joined(machine):
    """Two people of a segment turn out to be one."""
    machine.begin(people=WARM, released=True)
    machine.merge(key=KEYS[3], other=KEYS[1], how="mail")
    machine.run(pages="delta")


TOLD = [
    (controls.TrustsThePlan, withdrawn, "without consent"),
    (controls.TakesAbsenceForRemoval, emptied, "without a cause"),
    (controls.RemovesAnyway, leaving, "after an incomplete pull"),
    (controls.AssumesSuccess, killed, "confirmed"),
    (controls.ForgetsWhatItSent, unanswered, "there and not confirmed"),
    (controls.BelievesEveryAnswer, lied_to, "two clean runs"),
    (controls.MergesByLeavingAndEntering, joined, "in the log"),
]


def told(kind, story):
    """What the machine says at the end of a story; None when nothing is wrong."""
    machine, ended = kind(), False
    try:
        story(machine)
        machine.nothing_is_wrong()
        ended = True
    except AssertionError as error:
        return str(error)
    finally:
        if not ended:
            machine.world.batches.clear()  # nothing is to come to rest
            machine.teardown()
    try:
        machine.teardown()
    except AssertionError as error:
        return str(error)
    return None


@pytest.mark.verify
@pytest.mark.parametrize(
    ("mistaken", "story", "word"), TOLD, ids=[one.__name__ for one, *_ in TOLD]
)
def test_a_seeded_mistake_is_seen(mistaken, story, word):
    """If it fails, the machine is blind to what it is there for, or cries without a cause."""
    assert told(Machine, story) is None
    assert word in (told(mistaken, story) or "nothing")
