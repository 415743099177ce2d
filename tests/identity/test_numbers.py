"""Records are found by a number made of their names: two of one number are told apart by name."""

import pytest

ONE = ("crm", "1", {"email": "ann@x.example"})
TWO = ("crm", "2", {"email": "bob@x.example"})


@pytest.fixture
def collided(desk):
    """Two records that a hash cannot tell apart, the first of them just changed."""
    desk.put(ONE, TWO)
    desk.run()
    desk.put(ONE)
    desk.db.execute("UPDATE source_contact SET record_key = hash('crm', '1') WHERE source_id = '2'")
    return desk


def test_two_records_of_one_number_are_two_persons(collided):
    """If this fails, a chance in 10^13 makes one person of two strangers, and nobody learns it."""
    assert collided.run().full
    assert collided.groups() == {frozenset({("crm", "1")}), frozenset({("crm", "2")})}


def test_from_then_on_every_pass_compares_names(collided):
    """If this fails, the second pass after a collision trusts numbers again."""
    collided.run()
    collided.put(("shop", "3", {"email": "bob@x.example"}))
    assert collided.run().full
    assert frozenset({("crm", "2"), ("shop", "3")}) in collided.groups()


def test_numbers_suffice_while_they_differ(desk):
    """If this fails, every pass of every company looks at everything."""
    desk.put(ONE, TWO)
    desk.run()
    desk.put(("shop", "3", {"email": "bob@x.example"}))
    done = desk.run()
    assert (done.full, done.scope) == (False, 2)
