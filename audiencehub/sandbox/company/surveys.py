"""What people say when asked: recommendation, satisfaction, effort, and what moves them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from audiencehub.sandbox.company.deeds import SurveyAnswer, Ticket
from audiencehub.sandbox.company.mood import Moods, rating
from audiencehub.sandbox.company.people import Person

_NPS_REASONS: Final = (
    ("Too many bugs lately, and support is slow.", "We pay for seats that nobody uses.",
     "The API keeps failing, we look at alternatives."),
    ("Does the job, nothing more.", "Good, but the price went up.", "Setup took too long."),
    ("Saves my team a day a week.", "Segments that sales trusts at last.",
     "Support answers within the hour."),
)  # fmt: skip
_CHOICES: Final = {
    "interest": ("analytics", "ai", "privacy", "data_quality", "leadership", "sustainability"),
    "value": ("innovation", "security", "simplicity", "service", "price", "independence"),
    "attitude": ("early_adopter", "pragmatist", "sceptic"),
    "lifestyle": ("office", "remote", "hybrid", "frequent_traveller"),
    "use_case": ("segmentation", "reporting", "lead_scoring", "churn_prevention", "forecasting"),
}
_TEXTS: Final = {
    "job_to_be_done": {
        "marketing": "Know whom to write to before the campaign starts",
        "sales": "See which accounts to call first on a Monday",
        "it": "Keep customer data in one place without nightly scripts",
        "finance": "Forecast next quarter without asking five people",
        "": "Understand our customers without a data team",
    },
    "pain_point": {
        "marketing": "Lists are stale the day we export them",
        "sales": "Half of the leads are duplicates",
        "it": "Every tool wants its own integration",
        "finance": "Figures differ between CRM and billing",
        "": "Reports take a week",
    },
    "desired_outcome": {
        "marketing": "Twice the replies from half the e-mails",
        "sales": "Shorter sales cycles",
        "it": "Fewer tickets about wrong data",
        "finance": "One revenue figure everybody trusts",
        "": "Decisions on facts",
    },
}


def answers(
    rng: Random,
    people: Sequence[Person],
    tickets: Sequence[Ticket],
    moods: Moods,
    now: datetime,
) -> list[SurveyAnswer]:
    """Two recommendation surveys among customers, one after support, one about the audience;
    oldest first."""
    made: list[SurveyAnswer] = []
    for person in people:
        if person.email is None:
            continue
        for survey, back, share in (("nps-spring", 190, 0.3), ("nps-autumn", 40, 0.36)):
            if person.is_customer and rng.random() < share:
                at = now - timedelta(days=back + rng.random() * 12)
                made += _nps(rng, survey, person.email, moods[person.email], at)
        if rng.random() < (0.28 if person.is_customer else 0.09):
            at = now - timedelta(days=60 + rng.random() * 60)
            made += _audience(rng, person.email, person.department or "", at)
    for ticket in tickets:
        if ticket.solved_at is not None and rng.random() < 0.3:
            made += _support(rng, ticket, moods.get(ticket.email, 0.6), now)
    made.sort(key=lambda one: (one.at, one.response, one.question))
    return made


def of_a_day(rng: Random, known: Sequence[SurveyAnswer], now: datetime) -> list[SurveyAnswer]:
    """A few answer late: they had been asked, and change their mind."""
    nps = [one for one in known if one.kind == "nps"]
    made: list[SurveyAnswer] = []
    for one in rng.sample(nps, min(len(nps), max(1, len(nps) // 150))):
        at = now - timedelta(hours=rng.uniform(1, 22))
        mood = max(0.0, min(1.0, (one.score or 0) / 11.5 + rng.choice((-0.3, 0.0, 0.1))))
        made += _nps(rng, f"nps-{at:%Y-%m-%d}", one.email, mood, at)
    made.sort(key=lambda one: (one.at, one.response, one.question))
    return made


def _nps(rng: Random, survey: str, email: str, mood: float, at: datetime) -> list[SurveyAnswer]:
    score = rating(rng, mood, 0, 10)
    at, response = at.replace(microsecond=0), f"{survey}-{rng.getrandbits(40):010x}"
    made = [SurveyAnswer(response, survey, "recommend", "rating", "nps", email, at, score, 10)]
    if rng.random() < 0.5:
        group = 0 if score <= 6 else 1 if score <= 8 else 2
        text = rng.choice(_NPS_REASONS[group])
        made.append(SurveyAnswer(response, survey, "reason", "text", "other", email, at, text=text))
    return made


def _support(rng: Random, ticket: Ticket, mood: float, now: datetime) -> list[SurveyAnswer]:
    solved = ticket.solved_at or now
    at = (solved + (now - solved) * min(1.0, rng.random() * 0.05)).replace(microsecond=0)
    response = f"support-{ticket.key}"
    effort = 8 - rating(rng, mood, 1, 7)
    satisfied = ticket.csat or rating(rng, mood, 1, 5)
    common = (ticket.email, at)
    return [
        SurveyAnswer(response, "support", "satisfied", "rating", "csat", *common, satisfied, 5),
        SurveyAnswer(response, "support", "effort", "rating", "ces", *common, effort, 7),
    ]


def _audience(rng: Random, email: str, department: str, at: datetime) -> list[SurveyAnswer]:
    at, response = at.replace(microsecond=0), f"audience-{rng.getrandbits(40):010x}"
    made = [
        SurveyAnswer(
            response, "audience", kind, "choice", kind, email, at, choice=rng.choice(options)
        )
        for kind, options in _CHOICES.items()
    ]
    for kind, texts in _TEXTS.items():
        if rng.random() < 0.6:
            text = texts.get(department, texts[""]) if rng.random() < 0.75 else texts[""]
            made.append(
                SurveyAnswer(response, "audience", kind, "text", kind, email, at, text=text)
            )
    return made
