from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audiencehub.sandbox.company import generate, tomorrow

PARTS = ("accounts", "contacts", "deals")


@pytest.fixture(scope="module")
def after(company):
    return tomorrow(company, 7)


def changes(before, after, part):
    old = {one.key: one for one in getattr(before, part)}
    return [(old.get(one.key), one) for one in getattr(after, part) if old.get(one.key) != one]


def test_a_day_changes_about_three_percent(company, after):
    """The second sync of the demo must be small, and not empty."""
    changed = sum(len(changes(company, after, part)) for part in PARTS)
    records = sum(len(getattr(company, part)) for part in PARTS)
    assert 0.02 <= changed / records <= 0.04
    assert 0.02 <= len(changes(company, after, "contacts")) / len(company.contacts) <= 0.04


@hypothesis_settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 80), st.integers(1, 12))
def test_what_changed_is_stamped_between_the_days_and_nothing_is_lost(seed, contacts, accounts):
    """Incremental pulls see a change by its stamp only; a record that vanished looks deleted."""
    before = generate(seed, contacts, accounts)
    for _ in range(2):
        after = tomorrow(before, seed)
        assert after.day == before.day + 1
        for part in PARTS:
            kept = [one.key for one in getattr(after, part)]
            assert kept[: len(getattr(before, part))] == [one.key for one in getattr(before, part)]
            for _, new in changes(before, after, part):
                assert before.now < new.modified_at < after.now
        for part in ("events", "orders", "consents", "activities", "campaign_members", "surges"):
            old = getattr(before, part)
            assert getattr(after, part)[: len(old)] == old
        for part in ("events", "orders", "consents"):
            new = getattr(after, part)[len(getattr(before, part)) :]
            assert all(before.now < one.at < after.now for one in new)
        assert len({one.key for one in after.events}) == len(after.events)
        before = after


def test_the_same_day_always_goes_the_same_way(company, after):
    """A sandbox that was killed in the middle of a day must arrive at the same next morning."""
    assert tomorrow(company, 7) == after
    assert tomorrow(company, 8) != after


def test_all_kinds_of_change_happen(company, after):
    """Merges, deletions, new people and a won deal each take a path of their own in a sync."""
    contacts = changes(company, after, "contacts")
    merged = [new for _, new in contacts if new.merged_into]
    assert 1 <= len(merged) <= 2
    keepers = {one.key: one for one in after.contacts}
    for gone in merged:
        keeper = keepers[gone.merged_into]
        assert gone.deleted
        assert not keeper.deleted
        assert (keeper.crm, keeper.person) == (gone.crm, gone.person)
        assert keeper.modified_at > company.now
    assert sum(new.deleted and not new.merged_into for _, new in contacts) >= 3
    assert sum(old is None for old, _ in contacts) >= 5
    won = [new for old, new in changes(company, after, "deals") if new.is_won and not old.is_won]
    assert len(won) == 1
    assert {one.key: one.type for one in after.accounts}[won[0].account] == "Customer"
    said = Counter(one.status for one in after.consents[len(company.consents) :])
    assert said["granted"] >= 5
    assert said["denied"] >= 5
    assert len(after.events) > len(company.events) + 100
    assert len(after.orders) > len(company.orders)


def test_a_week_of_intent_arrives_on_the_tuesday_after_it(company, after):
    """An intent window that never moves would hide that old interest decays."""
    assert max(one.week for one in company.surges) == date(2026, 11, 2)
    assert max(one.week for one in after.surges) == date(2026, 11, 9)
    assert tomorrow(after, 7).surges == after.surges
