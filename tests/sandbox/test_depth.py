"""What the demo company knows beyond names: people, receipts, contracts, support, surveys."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from statistics import mean

import pytest

from audiencehub.sandbox.company import tomorrow
from audiencehub.sandbox.company.firmography import band, revenue_band
from audiencehub.sandbox.company.geography import SURROUNDINGS
from audiencehub.sandbox.company.loyalty import loyalty
from audiencehub.sandbox.company.names import PLACES


@pytest.fixture(scope="module")
def after(company):
    return tomorrow(company, 7)


def by_person(company, name):
    found = defaultdict(list)
    for one in company.contacts:
        if (value := getattr(one.details, name)) is not None:
            found[one.person].append(value)
    return found


def test_every_place_has_surroundings():
    """A city without them would leave its people out of every geographic rule."""
    assert {place.city for place in PLACES} == set(SURROUNDINGS)


@pytest.mark.parametrize("kind", ["contacts", "accounts"])
def test_every_detail_is_known_of_many_and_not_of_all(company, kind):
    """A model whose field is empty selects nobody; a field that is always filled hides gaps."""
    records = getattr(company, kind)
    for field in fields(records[0].details):
        known = sum(getattr(one.details, field.name) is not None for one in records)
        assert 0.2 <= known / len(records) <= 0.9, field.name


def test_two_crms_tell_of_one_person(company):
    """A birth date that differs between records of one person would make merges look wrong."""
    births = by_person(company, "birth_date").values()
    both = [values for values in births if len(values) > 1]
    assert len(both) > 100
    same = sum(len(set(values) - {date(1900, 1, 1)}) == 1 for values in both)
    assert same == len(both)
    roles = [values for values in by_person(company, "buyer_role").values() if len(values) > 1]
    assert all(len(set(values)) == 1 for values in roles)


def test_bosses_are_older_richer_and_decide(company):
    """Demographic rules are worth showing only where age, income and role go together."""
    chiefs, juniors = (
        [one for one in company.contacts if one.title in titles]
        for titles in (("CEO", "CFO", "President", "Owner"), ("SDR", "Data Engineer", "Recruiter"))
    )

    def share(people, name, *values):
        known = [getattr(one.details, name) for one in people]
        return mean(one in values for one in known if one is not None)

    assert share(chiefs, "income_band", "150K-200K", "Over 200K") > 0.8
    assert share(juniors, "income_band", "150K-200K", "Over 200K") < 0.3
    assert share(chiefs, "buyer_role", "END_USER") < 0.1 < share(juniors, "buyer_role", "END_USER")
    born = [
        mean(one.details.birth_date.year for one in people if one.details.birth_date)
        for people in (chiefs, juniors)
    ]
    assert born[0] < born[1] - 4


def test_an_address_lies_in_its_city(company):
    """A distance rule must find the people whom a city rule finds."""
    near = [
        (one.details, SURROUNDINGS[one.city.strip()])
        for one in company.contacts
        if one.city in SURROUNDINGS and one.details.latitude is not None
    ]
    assert len(near) > 500
    for details, place in near:
        assert abs(details.latitude - place.latitude) < 2
        assert abs(details.longitude - place.longitude) < 2
        assert details.population_density == place.density
    assert {details.climate_zone for details, _ in near} >= {"oceanic", "continental", "arid"}


def test_bands_meet_without_a_gap():
    """A number between two bands would have none."""
    assert [band(n) for n in (1, 10, 11, 200, 10_000, 10_001)] == [
        "1-10",
        "1-10",
        "11-50",
        "51-200",
        "5001-10000",
        "10001+",
    ]
    millions = (0, 1, 25, 500, 1000, 10_000)
    assert [revenue_band(n * 1_000_000) for n in millions] == [
        "under $1M",
        "$1M-$10M",
        "$25M-$50M",
        "$500M-$1B",
        "$1B-$10B",
        "$10B+",
    ]


def test_receipts_add_up(company):
    """Revenue by product must be the revenue by order, or value tiers depend on who asks."""
    lines = defaultdict(list)
    for line in company.order_lines:
        lines[line.order].append(line)
    assert set(lines) == {one.key for one in company.orders}
    for order in company.orders:
        own = lines[order.key]
        assert sum(line.quantity for line in own) == order.quantity
        listed = sum(line.quantity * line.price for line in own)
        assert abs(listed - order.revenue - order.discount) <= Decimal("0.01") * order.quantity
        assert 0 < order.margin < order.revenue <= order.total
        assert (order.discount > 0) == (order.coupon is not None)
        assert order.status != "refunded" or order.refunded == order.total
        assert {(line.email, line.at, line.currency) for line in own} == {
            (order.email, order.at, order.currency)
        }
    assert {one.channel for one in company.orders} == {"web", "app", "sales", "partner"}
    assert len({line.category for line in company.order_lines}) >= 4


def test_contracts_hold_together(company):
    """A cancelled contract that renews, or a trial that ended long ago, is in no billing system."""
    now = company.now
    for one in company.subscriptions:
        assert one.started_at <= one.updated_at < now
        assert (one.status == "canceled") == (one.canceled_at is not None)
        assert (one.renews_at is not None) == (one.status in ("active", "past_due"))
        if one.status == "trialing":
            assert one.mrr == 0
            assert now < one.trial_end < now + timedelta(days=14)
        if one.renews_at:
            assert now < one.renews_at <= now + timedelta(days=365)
    states = Counter(one.status for one in company.subscriptions)
    assert 150 <= states["active"] <= 300
    assert min(states["trialing"], states["canceled"]) >= 20
    customers = {one.organization for one in company.accounts if one.type == "Customer"}
    assert len(customers) > 50
    assert sum(bool(one.cancel_at) for one in company.subscriptions if not one.canceled_at) >= 5


def test_the_silent_are_discontent(company):
    """Churn rules join usage, tickets and surveys: in the demo these must tell one story."""
    last = {}
    for event in company.events:
        if event.name in ("login", "feature_used"):
            last[event.email.lower()] = event.at
    nps = [one for one in company.survey_answers if one.kind == "nps"]
    scores = {True: [], False: []}
    for one in nps:
        if one.email in last:
            scores[company.now - last[one.email] > timedelta(days=32)].append(one.score)
    assert min(map(len, scores.values())) >= 30
    assert mean(scores[True]) < mean(scores[False]) - 1.5
    low = {one.email for one in nps if one.score <= 5}
    written = Counter(one.email for one in company.tickets)
    asked = {one.email for one in nps}
    assert mean(written[email] for email in low) > mean(written[email] for email in asked - low)
    rated = {one.email: one.csat for one in company.tickets if one.csat}
    assert mean(rated[one] for one in low & set(rated)) < mean(
        rated[one] for one in (asked - low) & set(rated)
    )


def test_support_answers_in_order(company):
    """A ticket solved before it was opened would break every duration."""
    assert 600 <= len(company.tickets) <= 2000
    for one in company.tickets:
        assert one.created_at < company.now
        assert (one.solved_at is not None) == (one.status in ("solved", "closed"))
        if one.solved_at:
            reply = timedelta(minutes=one.first_reply_minutes - 1)
            assert one.created_at + reply <= one.solved_at < company.now
        assert one.csat is None or (1 <= one.csat <= 5 and one.solved_at)
    assert any(one.solved_at is None for one in company.tickets)


def test_surveys_ask_about_what_moves_people(company):
    """Psychographic and needs models have no other source than these answers."""
    kinds = Counter(one.kind for one in company.survey_answers)
    assert min(kinds[kind] for kind in ("nps", "csat", "ces")) >= 100
    motives = ("interest", "value", "attitude", "lifestyle", "use_case")
    needs = ("job_to_be_done", "pain_point", "desired_outcome")
    assert min(kinds[kind] for kind in (*motives, *needs)) >= 100
    for one in company.survey_answers:
        assert one.at < company.now
        given = [one.score is not None, one.choice is not None, one.text is not None]
        assert sum(given) == 1
        assert one.score is None or 0 <= one.score <= one.score_max
    answered = Counter((one.response, one.question) for one in company.survey_answers)
    assert set(answered.values()) == {1}


def test_mail_goes_to_those_who_agreed_and_is_opened_after_it_was_sent(company):
    """An engagement rule must not find people who were never written to."""
    granted = {one.email for one in company.consents if one.status == "granted"}
    sent = {}
    for one in company.email_actions:
        if one.action == "sent":
            sent[one.campaign, one.email] = one.at
    for one in company.email_actions:
        assert sent[one.campaign, one.email] <= one.at < company.now
        assert (one.link is not None) == (one.action == "click")
    people = {email for _, email in sent}
    assert len(people & granted) > 0.95 * len(people)
    done = Counter(one.action for one in company.email_actions)
    assert 8_000 <= sum(done.values()) <= 16_000
    assert done["sent"] > done["open"] > done["click"] > done["bounce"] > done["complaint"]


def test_the_loyal_have_bought_again_and_are_known(company):
    """Members come by file: an address that no CRM has would be a stranger."""
    members = loyalty(company)
    assert len(members) >= 100
    assert {tier for _, tier, _, _ in members} == {"Gold", "Silver", "Bronze"}
    bought = Counter(one.email for one in company.orders if one.status == "paid")
    known = {one.email.strip().lower() for one in company.contacts if one.email}
    assert all(bought[email] > 1 and email in known for email, *_ in members)


def test_a_day_changes_some_of_everything(company, after):
    """The second sync must carry every table, and little of it."""
    for part in ("order_lines", "survey_answers", "email_actions"):
        old, new = getattr(company, part), getattr(after, part)
        assert new[: len(old)] == old
        fresh = new[len(old) :]
        assert 0 < len(fresh) < 0.02 * len(old)
        assert all(company.now < one.at < after.now for one in fresh)
    for part in ("subscriptions", "tickets"):
        old = {one.key: one for one in getattr(company, part)}
        changed = [one for one in getattr(after, part) if old.get(one.key) != one]
        assert 0 < len(changed) < 0.1 * len(old)
        assert all(company.now < one.updated_at < after.now for one in changed)
        assert {one.key for one in getattr(after, part)} >= set(old)
    moved = [
        (old, new)
        for old, new in zip(company.contacts, after.contacts, strict=False)
        if old.details != new.details
    ]
    assert 10 <= len(moved) <= 100
    assert all(new.modified_at > company.now for _, new in moved)
    assert len({one.key for one in after.email_actions}) == len(after.email_actions)
