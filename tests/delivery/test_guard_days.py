"""Two hundred days on which a mistake would have gone out, and two hundred on which none was."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from market import (
    COUNTRIES,
    INDUSTRIES,
    LISTS,
    PEOPLE,
    RULES,
    Desk,
    churned,
    fewer,
    grown,
    older,
    people,
)

from audiencehub.ledger import Ledger

SEED = 20261116
EACH = 20
"""Days planted of every kind of mistake."""
RUNS, DAYS = 4, 50


@pytest.fixture
def ledger(tmp_path):
    with_rows = Ledger.open(tmp_path)
    yield with_rows
    with_rows.close()


@pytest.fixture(scope="module")
def company():
    return people(random.Random(SEED))


def every(now, **changes):
    """One field of everybody, as the source or a mapping would break it."""
    return {
        key: replace(one, **{name: how(one) for name, how in changes.items()})
        for key, one in now.items()
    }


def half_empty(now, rules, rng, desk):
    kept = fewer(now, rng.sample(sorted(now), int(rng.uniform(0.2, 0.8) * len(now))))
    desk.pulled(len(kept))
    return kept, rules


def few_missing(now, rules, rng, desk):
    """A filter that hides one in eight: no segment falls by much."""
    kept = fewer(now, rng.sample(sorted(now), int(rng.uniform(0.11, 0.14) * len(now))))
    desk.pulled(len(kept))
    return kept, rules


def rule_for_everyone(now, rules, rng, desk):
    return now, {**rules, rng.choice(sorted(rules)): lambda _: True}


def rule_for_nobody(now, rules, rng, desk):
    return now, {**rules, rng.choice(sorted(rules)): lambda _: False}


def rule_reversed(now, rules, rng, desk):
    name = rng.choice(sorted(rules))
    true = rules[name]
    return now, {**rules, name: lambda p: not true(p)}


def field_wiped(now, rules, rng, desk):
    blank = {"industry": "", "country": "", "title": "", "size": 0, "visits": 0}
    name = rng.choice(sorted(blank))
    share = rng.uniform(0.5, 1)
    gone = {key for key in sorted(now) if rng.random() < share}
    wiped = every(now, **{name: lambda _: blank[name]})
    return {key: wiped[key] if key in gone else one for key, one in now.items()}, rules


def countries_broken(now, rules, rng, desk):
    spelled = dict(zip(COUNTRIES, ("Germany", "USA", "France", "UK", "Holland"), strict=True))
    turned = dict(zip(COUNTRIES, (*COUNTRIES[1:], COUNTRIES[0]), strict=True))
    mapping = rng.choice([spelled, turned])
    return every(now, country=lambda p: mapping[p.country]), rules


def wrong_unit(now, rules, rng, desk):
    times = rng.choice([0.001, 0.01, 100, 1000])
    broken = [
        every(now, size=lambda p: int(p.size * times)),
        every(now, idle=lambda p: p.idle * 86_400 + 86_400),
        every(now, visits=lambda p: p.visits * 60 + 4, idle=lambda p: p.idle // 24),
    ]
    return rng.choice(broken), rules


def columns_shifted(now, rules, rng, desk):
    """Rows and one of their columns no longer belong together."""
    values = [one.industry for one in now.values()]
    rng.shuffle(values)
    turned = dict(zip(INDUSTRIES, (*INDUSTRIES[1:], INDUSTRIES[0]), strict=True))
    moved = {
        key: replace(one, industry=turned[value])
        for (key, one), value in zip(now.items(), values, strict=True)
    }
    return moved, rules


def imported_twice(now, rules, rng, desk):
    twice = now | {f"r{PEOPLE * 9 + n}": one for n, one in enumerate(now.values())}
    desk.pulled(len(twice))
    return twice, rules


def joined_wrongly(now, rules, rng, desk):
    """One shared value makes one person of many."""
    return fewer(now, rng.sample(sorted(now), int(rng.uniform(0.3, 0.7) * len(now)))), rules


def rejecting(now, rules, rng, desk):
    """The destination refused much of what was sent last, and would be sent more."""
    of = rng.randrange(200, 2000)
    desk.rejected = (int(rng.uniform(0.06, 0.9) * of) + 1, of)
    return churned(now, 0.02, rng), rules


MISTAKES = (
    half_empty, few_missing, rule_for_everyone, rule_for_nobody, rule_reversed, field_wiped,
    countries_broken, wrong_unit, columns_shifted, imported_twice, joined_wrongly, rejecting,
)  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.__name__)
def test_a_planted_mistake_is_held(mistake, company, ledger):
    """If one goes through, a night's slip takes the audience away or floods it."""
    desk, reasons = Desk(ledger, company, RULES), Counter()
    for number in range(EACH):
        rng = random.Random(f"{SEED} {mistake.__name__} {number}")
        today = older(churned(company, rng.uniform(0.01, 0.05), rng), rng, 0.1)
        now, rules = mistake(today, RULES, rng, desk)

        day = desk.day(now, rules)

        assert day.held("tags"), f"{number}: tags would go out, {day.moves}"
        for name in LISTS:
            held, enters, leaves = day.moves[name]
            harmed = leaves > max(20, 0.15 * held) or enters > max(200, 0.5 * held)
            assert day.held(name) or not harmed, f"{number}: {name} would go out, {day.moves}"
        reasons.update(day.holding)
        desk.rejected = (0, 0)
        while desk.ledger.manifests.recent_complete("crm", "contact", n=1) != [len(company)]:
            desk.pulled(len(company))
    print(f"{mistake.__name__}: {EACH} of {EACH} held by {dict(reasons.most_common())}")


def test_withdrawn_consent_is_never_held(company, ledger):
    """If it fails, people who said no stay on the lists because there are too many of them."""
    desk = Desk(ledger, company, RULES)
    for number in range(EACH):
        rng = random.Random(f"{SEED} consent {number}")
        lost = {key for key in sorted(company) if rng.random() < rng.choice([0.3, 1.0])}
        now = {k: replace(p, consent=p.consent and k not in lost) for k, p in company.items()}

        day = desk.day(now, RULES)

        for name in LISTS:
            gone = sum(key in lost for key in desk.lists[name])
            assert gone > 20 and day.consent[name] == gone
            assert day.moves[name][1:] == (0, 0)
        assert day.moves["tags"][1:] == (0, 0)


@pytest.mark.verify
def test_ordinary_days_are_let_through(tmp_path):
    """If they are held, people learn to approve without looking."""
    through, held = 0, []
    for run in range(RUNS):
        rng = random.Random(f"{SEED} ordinary {run}")
        now, rules = people(rng), dict(RULES)
        ledger = Ledger.open(tmp_path / str(run))
        desk = Desk(ledger, now, rules)
        for number in range(DAYS):
            if number % 10 == 4:  # a new segment, whose first run somebody has approved
                size = rng.randrange(100, 900)
                rules[f"new{number}"] = lambda p, size=size: size < p.size < 1.6 * size
                desk.settle(now, rules)
            weekend = number % 7 in (5, 6)
            now = older(churned(now, rng.uniform(0.001, 0.004 if weekend else 0.05), rng), rng)
            if not weekend:
                now = grown(now, rng.randrange(0, 40), rng)
                now = fewer(now, rng.sample(sorted(now), rng.randrange(0, 12)))
            desk.pulled(len(now))
            day = desk.day(now, rules)
            assert day.moves["tags"][1] + day.moves["tags"][2] > 0
            if day.holding:
                held.append((run, number, sorted(day.holding)))
            else:
                through += 1
            desk.settle(now, rules)
        ledger.close()
    print(f"ordinary days: {through} of {RUNS * DAYS} let through; held: {held}")
    assert through >= 0.98 * RUNS * DAYS, held
