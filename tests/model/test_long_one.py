"""The first thousand steps of the machine in CI; the second are in the file beside."""

from __future__ import annotations

import pytest

from tests.model.drive import drive
from tests.model.machine import RULES, Machine


class FirstThousand(Machine):
    """A company for up to fifty steps, thirty times."""


@pytest.mark.verify
@pytest.mark.fault(11, 18)
def test_the_model_holds_for_a_thousand_steps():
    """If it fails, some order of edits, merges, withdrawals, bad pulls and crashes lies to us."""
    steps = drive(FirstThousand, examples=30, steps=50)

    assert steps.total() - steps["rest"] >= 1_000
    assert steps.keys() >= RULES, "a rule was never tried"
