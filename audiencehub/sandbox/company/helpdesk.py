"""Support: who writes to it about what, how fast it answers, how content they are with that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from audiencehub.sandbox.company.deeds import Ticket
from audiencehub.sandbox.company.mood import Moods, rating
from audiencehub.sandbox.company.people import Person

SUBJECTS: Final = {
    "Billing": ("Invoice shows the wrong seats", "VAT number missing on invoice", "Card declined"),
    "Bug": ("Dashboard stays empty", "Export stops at 10,000 rows", "Alerts arrive twice"),
    "How-to": ("How do I share a segment?", "Where do I invite people?", "Filter by country"),
    "Integration": ("CRM sync is slow", "API returns 429", "Webhook signature"),
    "Data quality": ("Duplicates after import", "Wrong company on contacts"),
    "Feature request": ("Dark mode please", "Forecast per region"),
    "Cancellation": ("How do I cancel?", "We are moving to another tool"),
}
_CONTENT: Final = (14, 18, 30, 16, 10, 11, 1)
_DISCONTENT: Final = (18, 34, 8, 14, 12, 2, 12)
_CHANNELS: Final = (("email", 46), ("chat", 30), ("web", 17), ("phone", 7))
_PRIORITIES: Final = (("low", 22), ("normal", 55), ("high", 17), ("urgent", 6))


def tickets(rng: Random, people: Sequence[Person], moods: Moods, now: datetime) -> list[Ticket]:
    """A year of them, oldest first; the active and the discontent write most."""
    drafts: list[Ticket] = []
    for person in people:
        if person.email is None or not person.is_customer:
            continue
        mood = moods[person.email]
        expected = 0.9 + min(4.0, person.energy * 0.25) + (1.6 if mood < 0.4 else 0)
        for _ in range(int(rng.expovariate(1 / expected))):
            created = now - timedelta(days=rng.random() ** 1.2 * 365, minutes=1)
            drafts.append(_ticket(rng, person.email, mood, created, now))
    drafts.sort(key=lambda one: (one.created_at, one.email))
    return [replace(one, key=f"z{number:05d}") for number, one in enumerate(drafts, 1)]


def changed(rng: Random, known: Sequence[Ticket], now: datetime) -> list[Ticket]:
    """The same a day later: a third of the open ones are solved, a few new ones have come."""
    after = []
    for one in known:
        if one.solved_at is None and rng.random() < 0.33:
            at = _whole(now - timedelta(hours=1 + rng.random() * 20))
            reply = one.first_reply_minutes or rng.randint(20, 900)
            after.append(
                replace(
                    one, status="solved", solved_at=at, first_reply_minutes=reply, updated_at=at
                )
            )
        else:
            after.append(one)
    for number in range(max(1, len(known) // 300) if known else 0):
        writer = rng.choice(known)
        mood = 0.7 if (writer.csat or 4) >= 3 else 0.3
        created = now - timedelta(hours=rng.uniform(1, 22))
        fresh = _ticket(rng, writer.email, mood, created, now)
        after.append(replace(fresh, key=f"z{len(known) + number + 1:05d}"))
    return after


def _ticket(rng: Random, email: str, mood: float, created: datetime, now: datetime) -> Ticket:
    weights = _DISCONTENT if mood < 0.4 else _CONTENT
    category = rng.choices(list(SUBJECTS), weights)[0]
    priority = rng.choices([name for name, _ in _PRIORITIES], [w for _, w in _PRIORITIES])[0]
    reply = min(5000, int(rng.lognormvariate(4.2, 1.1) * (0.4 if priority == "urgent" else 1)))
    solved = created + timedelta(minutes=reply + rng.expovariate(1 / 2200))
    done = solved < now - timedelta(seconds=1)
    answered = created + timedelta(minutes=reply) < now
    slow = 0.15 if reply > 400 else 0.0
    rated = done and rng.random() < 0.4
    return Ticket(
        key="",
        email=email,
        subject=rng.choice(SUBJECTS[category]),
        category=category,
        status=("closed" if rng.random() < 0.7 else "solved")
        if done
        else rng.choice(("open", "pending") if answered else ("new",)),
        priority=priority,
        channel=rng.choices([name for name, _ in _CHANNELS], [w for _, w in _CHANNELS])[0],
        created_at=_whole(created),
        solved_at=_whole(solved) if done else None,
        first_reply_minutes=reply if answered else None,
        csat=rating(rng, mood - slow, 1, 5) if rated else None,
        updated_at=_whole(solved if done else created),
    )


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)
