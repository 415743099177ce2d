"""What people decide about identity holds for what is landed after it, in runs and in rebuilds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiencehub import rebuild
from audiencehub.warehouse import history
from tests.steps.conftest import NOW, whole

LATER = NOW + timedelta(days=400)
"""The machine's clock may be far from the run's: decisions are not ordered by it."""


@pytest.fixture
def decided(desk, contact):
    """Two people; joined by hand after run 1, parted again after run 2; three runs."""

    def day(title):
        desk.run(
            crm={"contact": whole(contact("1", first_name="Ann", title=title))},
            shop={"contact": whole(contact("7", first_name="Anna"))},
        )

    day("Analyst")
    merge = desk.ledger.merges.join("contact", 0, 1, "ann", LATER, "same person")
    day("Manager")
    desk.ledger.merges.undo(merge, "ann", LATER, "sisters")
    day("Director")
    return desk


def people(desk, run):
    """Ids of those whom the hub took for people at a run."""
    at = NOW + timedelta(hours=run, minutes=1)
    history.as_of(desk.warehouse.connection, desk.settings.tables, at)
    return [one for (one,) in desk.rows("SELECT contact_id FROM contact_as_of ORDER BY 1")]


def test_two_people_are_two_on_every_day_before_they_were_joined(decided):
    """If it fails, a rebuild rewrites the past: a merge of today was always so."""
    assert [people(decided, run) for run in (1, 2, 3)] == [[0, 1], [0], [0, 1]]

    result = rebuild.rebuild(decided.hub)

    assert result.different == ()
    assert [people(decided, run) for run in (1, 2, 3)] == [[0, 1], [0], [0, 1]]


def test_a_decision_waits_for_the_next_landing(desk, contact):
    """If it fails, a rebuild between a decision and the next run changes who is who by itself."""
    scripts = {
        "crm": {"contact": whole(contact("1", first_name="Ann"))},
        "shop": {"contact": whole(contact("7", first_name="Anna"))},
    }
    desk.run(**scripts)
    merge = desk.ledger.merges.join("contact", 0, 1, "ann", LATER, "same person")
    assert rebuild.rebuild(desk.hub).different == ()
    assert people(desk, 1) == [0, 1]

    desk.run(**scripts)
    desk.ledger.merges.undo(merge, "ann", LATER, "sisters")
    journal = desk.ledger.merges.all("contact")
    assert rebuild.rebuild(desk.hub).different == ()

    assert people(desk, 2) == [0]
    assert desk.ledger.merges.all("contact") == journal, "the rebuild joined them by itself"


def test_what_a_rule_had_joined_was_one_before_it_was_parted(desk, contact):
    """If it fails, taking back an automatic merge takes it out of the past too."""
    scripts = {
        "crm": {"contact": whole(contact("1", email="ann@acme.example"))},
        "shop": {"contact": whole(contact("7", email="ann@acme.example"))},
    }
    desk.run(**scripts)
    (merge,) = desk.ledger.merges.open("contact")
    desk.ledger.merges.undo(merge.merge_id, "ann", LATER, "father and son")
    desk.run(**scripts)

    assert rebuild.rebuild(desk.hub).different == ()
    assert [people(desk, run) for run in (1, 2)] == [[0], [0, 1]]
