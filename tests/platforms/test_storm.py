"""Consent while nobody knows what has arrived."""

from __future__ import annotations

import pytest

from tests.platforms import stories
from tests.platforms.clock import skipping
from tests.platforms.house import house, small_batches
from tests.platforms.stands import STANDS

PEOPLE = 250


@pytest.mark.parametrize("name", STANDS)
def test_nobody_without_consent_is_sent_in_a_storm(monkeypatch, tmp_path, name):
    """What is in doubt is said again: by then its people may have said no."""
    small_batches(monkeypatch, name, 40)
    with skipping(), house(STANDS[name], tmp_path, PEOPLE) as there:
        stories.minds_change_in_a_storm(there, seed=1)
