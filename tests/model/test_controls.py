"""The machine must find seeded mistakes: a model that finds nothing proves nothing."""

from __future__ import annotations

import pytest

from tests.model import controls
from tests.model.drive import fails


@pytest.mark.verify
@pytest.mark.parametrize(
    ("mistaken", "word"),
    [
        (controls.TrustsThePlan, "without consent"),
        (controls.TakesAbsenceForRemoval, "without a cause"),
        (controls.RemovesAnyway, "after an incomplete pull"),
        (controls.AssumesSuccess, "confirmed"),
        (controls.ForgetsWhatItSent, ""),
        (controls.BelievesEveryAnswer, ""),
        (controls.MergesByLeavingAndEntering, ""),
    ],
)
def test_a_seeded_mistake_is_found(mistaken, word):
    """If it fails, the machine is blind to what it is there for."""
    found = fails(mistaken)

    assert found is not None
    assert word in found
