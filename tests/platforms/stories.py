"""What very many people live through at one list destination.

What is expected is made of `crowd` alone; what happened is asked of the fake, and heard on the way.
"""

from __future__ import annotations

import random

from tests.platforms import crowd
from tests.platforms.ear import Ear
from tests.platforms.house import House


def everybody_once(there: House) -> None:
    """Day one of a company in which all consent, and one in fifty has an address that is none.

    Raises AssertionError unless each of these has a reason, and everybody else arrives.
    """
    numbers = range(there.people)
    good = {n for n in numbers if not crowd.is_bad(n)}
    there.say(numbers, "granted", -60)

    planned, done = there.sync()

    (made,) = planned.plans
    assert sum(made.excluded.values()) == there.people - len(good)
    reasons = {why.partition(":")[0] for why in made.excluded}
    known = {"no_identifier"} if there.stand.record else {"email", "no_identifier"}
    assert reasons == known, "refused by a rule, blank, or without a record"
    assert (made.writes, done.confirmed) == (len(good), len(good))
    assert (done.rejected, done.unknown, done.held) == (0, 0, 0)
    assert there.held() == there.names(good)
    assert there.outcomes() == {"answered"}, "no batch fails for one row"


def minds_change(there: House, seed: int) -> None:
    """Three days, on which people withdraw and return between plan and push, between batches, and
    between the days; nobody is ever sent who does not consent at that moment."""
    rng, wishes = random.Random(f"minds {seed}"), crowd.Wishes(there.people, seed)
    for status, minutes, people in wishes.first():
        there.say(people, status, -minutes)
    ear = Ear(there, wishes)

    def withdrawn(share: float) -> None:
        there.say(wishes.withdraw(rng, share), "denied")

    def between_batches(what: str, *_: object) -> None:
        if what.startswith("push"):
            withdrawn(0.02)

    there.progress = between_batches
    superseded = 0
    for _ in range(2):
        planned, done = there.sync(lambda: withdrawn(0.03))
        assert (done.rejected, done.unknown, done.held) == (0, 0, 0)
        assert done.confirmed + done.superseded == sum(one.writes for one in planned.plans)
        superseded += done.superseded
        withdrawn(0.03)
        there.say(wishes.return_(rng, 0.02), "granted", 1)
    there.progress = lambda *_: None
    there.sync()

    assert ear.broken == [], "sent without consent"
    assert ear.heard > 0
    assert superseded > 0, "withdrawals must have met people who were about to be sent"
    assert there.held() == there.names(wishes.yes)
    assert there.outcomes() == {"answered"}
