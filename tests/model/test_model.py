"""The machine, short: source, destinations, consent and crashes against the model."""

from __future__ import annotations

import pytest

from tests.model.drive import drive
from tests.model.machine import Machine


class Short(Machine):
    """A few companies, each for a while."""


@pytest.mark.fault(11, 18)
def test_the_model_holds():
    """If it fails, some order of edits, merges, withdrawals, bad pulls and crashes lies to us."""
    steps = drive(Short, examples=4, steps=50)

    assert steps.total() - steps["rest"] >= 190
