"""Merges and unmerges in random order: who is who, and that nobody enters or leaves by it."""

from __future__ import annotations

import pytest

from tests.model.drive import drive
from tests.model.machine import Machine


class People(Machine):
    """Nothing but people who are joined and parted, what they say, and runs that may die."""

    fault = drift = drift_of_a_list = clock = suppress = withdraw_meanwhile = None
    run_on_a_bad_pull = approve_withdraw_apply = None


@pytest.mark.verify
@pytest.mark.fault(11)
def test_merges_in_random_order():
    """If it fails, a merge moves people, forgets a no, or leaves an address on a list."""
    steps = drive(People, examples=10, steps=40)

    assert steps["merge"] >= 20
    assert steps["unmerge"] >= 20
    assert steps["crash"] + steps["run"] >= 40
