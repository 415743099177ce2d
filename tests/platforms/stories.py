"""What very many people live through at one list destination.

What is expected is made of `crowd` alone; what happened is asked of the fake, and heard on the way.
"""

from __future__ import annotations

import random
from contextlib import suppress

from audiencehub.errors import HubError
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

    left_out = there.left_out()
    planned, done = there.sync()

    assert left_out.keys() == set(numbers) - good, "each bad one is named"
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


def minds_change_in_a_storm(there: House, seed: int) -> None:
    """The same over four days on which writes get lost on the way there or back, so that what was
    sent is in doubt when somebody withdraws. Then the storm ends."""
    rng, wishes = random.Random(f"storm {seed}"), crowd.Wishes(there.people, seed)
    for status, minutes, people in wishes.first():
        there.say(people, status, -minutes)
    ear = Ear(there, wishes)

    def between_batches(what: str, *_: object) -> None:
        if what.startswith("push"):
            there.say(wishes.withdraw(rng, 0.02), "denied")

    there.progress, there.watch.storm = between_batches, random.Random(f"wind {seed}")
    for _ in range(4):
        with suppress(HubError):
            there.sync(lambda: between_batches("push"))
        there.say(wishes.withdraw(rng, 0.03), "denied")
        there.say(wishes.return_(rng, 0.03), "granted", 1)
    there.progress, there.watch.storm = lambda *_: None, None
    for _ in range(2):
        there.sync()

    assert ear.broken == [], "sent without consent"
    assert "no_answer" in there.outcomes(), "nothing was ever in doubt"
    assert there.held() == there.names(wishes.yes)
