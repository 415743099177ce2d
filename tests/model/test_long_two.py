"""The second thousand steps of the machine in CI: a file of its own, for the other core."""

from __future__ import annotations

import pytest

from tests.model.drive import drive
from tests.model.machine import RULES, Machine


class SecondThousand(Machine):
    """Other companies than the first."""


@pytest.mark.verify
@pytest.mark.fault(11, 18)
def test_the_model_holds_for_another_thousand_steps():
    """If it fails, some order of edits, merges, withdrawals, bad pulls and crashes lies to us."""
    steps = drive(SecondThousand, examples=21, steps=50)

    assert steps.total() - steps["rest"] >= 1_000
    assert steps.keys() >= RULES, "a rule was never tried"
