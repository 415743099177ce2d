"""A day's news about what people and companies do, in the manner of the year before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from audiencehub.sandbox.company import (
    activity,
    billing,
    helpdesk,
    lines,
    mailings,
    signals,
    surveys,
)
from audiencehub.sandbox.company.records import (
    Company,
    ConsentEntry,
    ShopOrder,
    Technology,
    TopicSurge,
    WebEvent,
)

_CUSTOMER_EVENTS = {"login", "feature_used"}
_MOST_RECENT = 4000


def events(rng: Random, company: Company, now: datetime) -> list[WebEvent]:
    """A day like the others by those who were active lately; a few visitors begin to compare
    prices. All lie after the morning the company stood at."""
    recent = company.events[-_MOST_RECENT:]
    if not recent:
        return []
    customers = {one.email for one in recent if one.name in _CUSTOMER_EVENTS}
    drafts = []
    for one in rng.choices(recent, k=max(3, len(company.events) // 340)):
        drafts += activity.visits(rng, one.email, one.email in customers, 1, now, 1)
    visitors = sorted({one.email for one in recent} - customers)
    for email in rng.sample(visitors, min(len(visitors), max(1, len(company.contacts) // 500))):
        for path in ("/pricing", "/pricing", "/integrations", "/pricing", "/demo"):
            at = now - timedelta(hours=1 + rng.random() * 20)
            drafts.append((at, email, "page_view", path))
    drafts.sort(key=lambda draft: draft[0])
    first = len(company.events) + 1
    return [activity.finished(rng, number, *draft) for number, draft in enumerate(drafts, first)]


def orders(rng: Random, company: Company, now: datetime) -> list[ShopOrder]:
    """A three-hundredth of the year's orders, by those who have bought before."""
    if not company.orders:
        return []
    made = []
    for _ in range(max(1, len(company.orders) // 300)):
        old = rng.choice(company.orders)
        made.append(replace(activity.order(rng, old.email, "", now, 1), currency=old.currency))
    made.sort(key=lambda one: (one.at, one.email))
    first = len(company.orders) + 1
    return [replace(one, key=f"s{number:06d}") for number, one in enumerate(made, first)]


def deeds(rng: Random, company: Company, now: datetime) -> Company:
    """The company with the day's orders, contracts, tickets, answers and e-mail."""
    bought, lines_ = lines.itemized(rng, orders(rng, company, now))
    return replace(
        company,
        orders=(*company.orders, *bought),
        order_lines=(*company.order_lines, *lines_),
        subscriptions=tuple(billing.changed(rng, company.subscriptions, now)),
        tickets=tuple(helpdesk.changed(rng, company.tickets, now)),
        survey_answers=(
            *company.survey_answers,
            *surveys.of_a_day(rng, company.survey_answers, now),
        ),
        email_actions=(
            *company.email_actions,
            *mailings.of_a_day(rng, company.email_actions, now),
        ),
    )


def technologies(rng: Random, company: Company, now: datetime) -> list[Technology]:
    """The same, but that one in 300 is dropped and as many are taken up."""
    known = list(company.technologies)
    if not known:
        return known
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    count = max(1, len(known) // 300)
    for at in rng.sample(range(len(known)), count):
        if known[at].live:
            known[at] = replace(known[at], live=False)
    have = {(one.domain, one.name) for one in known}
    for one in rng.choices(known, k=count):
        name, (category, _) = rng.choice(sorted(signals.TECHNOLOGIES.items()))
        if (one.domain, name) not in have:
            have.add((one.domain, name))
            known.append(Technology(one.domain, name, category, midnight, midnight, True))
    return known


def surges(rng: Random, company: Company, now: datetime) -> list[TopicSurge]:
    """The next week's report on the day it comes, else nothing: scores drift, some topics rise."""
    if not company.surges:
        return []
    last = max(one.week for one in company.surges)
    week = signals.last_week(now)
    if week <= last:
        return []
    found = []
    for one in company.surges:
        if one.week != last or rng.random() < 0.06:
            continue
        rise = rng.randint(15, 45) if rng.random() < 0.04 else rng.randint(-6, 6)
        found.append(replace(one, week=week, score=max(1, min(99, one.score + rise))))
    return found


def consents(rng: Random, company: Company, now: datetime) -> list[ConsentEntry]:
    """Some take back what they had granted, some others grant."""
    latest = {(one.email, one.purpose, one.channel): one for one in company.consents}
    granted = [one for one in latest.values() if one.status == "granted"]
    count = min(len(granted), max(1, len(latest) // 200))
    said = [replace(one, status="denied") for one in rng.sample(granted, count)]
    asked = {one.email for one in company.consents}
    others = sorted({one.email for one in company.events[-_MOST_RECENT:]} - asked)
    for email in rng.sample(others, min(len(others), count)):
        for purpose, channel in signals.PURPOSES:
            said.append(signals.consent(email, purpose, channel, "granted", now))
    stamped = [
        replace(one, at=(now - timedelta(hours=1 + rng.random() * 22)).replace(microsecond=0))
        for one in said
    ]
    return sorted(stamped, key=lambda one: (one.at, one.email, one.purpose))
