"""Marketing e-mail: whom each campaign went to, who opened and clicked, what bounced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from audiencehub.sandbox.company.deeds import EmailAction
from audiencehub.sandbox.company.mood import Moods
from audiencehub.sandbox.company.people import Person

CAMPAIGNS: Final = (
    # Campaign, topic, days ago, link
    ("newsletter-september", "data quality", 61, "/blog/clean-crm-data"),
    ("newsletter-october", "segmentation", 34, "/blog/segmentation-guide"),
    ("product-update", "product news", 21, "/docs"),
    ("winter-webinar", "lifecycle marketing", 9, "/webinars"),
    ("pricing-change", "pricing", 4, "/pricing"),
)


def actions(
    rng: Random, people: Sequence[Person], moods: Moods, now: datetime
) -> list[EmailAction]:
    """Every campaign to those who have agreed to e-mail, oldest first."""
    drafts: list[EmailAction] = []
    for campaign, topic, back, link in CAMPAIGNS:
        start = now - timedelta(days=back)
        for person in people:
            if person.email and person.consent == "granted" and rng.random() < 0.88:
                keen = 0.5 * moods[person.email] + min(0.25, person.energy / 40)
                drafts += _fate(rng, campaign, topic, link, person.email, keen, start, now)
    return numbered(drafts, 0)


def of_a_day(rng: Random, known: Sequence[EmailAction], now: datetime) -> list[EmailAction]:
    """A reminder to one in thirty of those written to before, and what became of it."""
    asked = sorted({one.email for one in known} - {one.email for one in known if _final(one)})
    if not asked:
        return []
    drafts: list[EmailAction] = []
    start = now - timedelta(hours=22)
    for email in rng.sample(asked, max(1, len(asked) // 30)):
        drafts += _fate(
            rng, "webinar-reminder", "lifecycle marketing", "/webinars", email, 0.4, start, now
        )
    return numbered(drafts, len(known))


def numbered(drafts: Sequence[EmailAction], after: int) -> list[EmailAction]:
    """In order of time, with keys that go on after so many."""
    ordered = sorted(drafts, key=lambda one: (one.at, one.email, one.action))
    return [replace(one, key=f"m{number:06d}") for number, one in enumerate(ordered, after + 1)]


def _final(one: EmailAction) -> bool:
    return one.action in ("bounce", "unsubscribe", "complaint")


def _fate(
    rng: Random,
    campaign: str,
    topic: str,
    link: str,
    email: str,
    keen: float,
    start: datetime,
    now: datetime,
) -> list[EmailAction]:
    """Sent; then bounced, or opened (a quarter by a client on its own), clicked, unsubscribed."""
    sent = start + timedelta(minutes=rng.random() * 90)

    def did(action: str, minutes: float, target: str | None = None) -> EmailAction:
        at = min(sent + timedelta(minutes=minutes), now - timedelta(seconds=1))
        return EmailAction("", campaign, topic, email, action, at.replace(microsecond=0), target)

    made = [did("sent", 0)]
    if rng.random() < 0.012:
        return [*made, did("bounce", 1)]
    by_itself = rng.random() < 0.25
    wait = rng.expovariate(1 / 300)
    if by_itself or rng.random() < keen:
        made.append(did("open", 0.5 if by_itself else 1 + wait))
    if rng.random() < keen * 0.28:
        made.append(did("click", 2 + wait, link))
    elif rng.random() < 0.006:
        made.append(did("unsubscribe", 3 + wait))
    elif rng.random() < 0.001:
        made.append(did("complaint", 3 + wait))
    return made
