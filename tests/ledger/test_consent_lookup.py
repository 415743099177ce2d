"""Consent asked for some people must be what is known of all, whoever was merged into whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.ledger import Ledger

AT = datetime(2026, 11, 16, tzinfo=UTC)
people = st.integers(0, 9)
said = st.tuples(people, st.sampled_from(["granted", "denied"]), st.integers(0, 3))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    made = Ledger.open(tmp_path_factory.mktemp("ledger"))
    yield made
    made.close()


@given(
    decisions=st.lists(said, max_size=25),
    alias=st.dictionaries(people, people, max_size=5),
    asked=st.sets(people),
)
def test_some_are_asked_for_as_all_are(ledger, decisions, alias, asked):
    """The look at a batch goes another way than the look at everybody; a decision of a record that
    was merged in, and is missed on one of them, sends somebody who said no."""
    db = ledger.consent._db
    with db.transaction():
        for table in ("consent_decision", "person_alias"):
            db.run(f"DELETE FROM {table}")
        merged = [(own, person) for own, person in alias.items() if own != person]
        db.many("INSERT INTO person_alias VALUES('contact', ?, ?)", merged)
        ledger.consent.record(
            (who, "advertising", "ads", status, "crm", AT + timedelta(hours=hour), None)
            for who, status, hour in decisions
        )
        everything = ledger.consent.decisions()
        found = ledger.consent.decisions(asked)

    assert found == [one for one in everything if one.person_id in asked]
