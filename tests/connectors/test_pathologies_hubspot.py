"""The whole matrix of wrong answers: all that HubSpot is asked, tokens included."""

from __future__ import annotations

import pytest

from tests.connectors import stands

NAMES = (
    "hubspot contacts",
    "hubspot deals",
    "hubspot contacts since",
    "hubspot companies",
)
pytestmark = [pytest.mark.verify, pytest.mark.fault(10)]


@pytest.mark.parametrize(
    "name",
    [
        "hubspot contacts",
        "hubspot deals",
        "hubspot contacts since",
        "hubspot companies",
    ],
)
def test_a_wrong_answer_in_any_place(name, tmp_path, monkeypatch):
    """If it fails, there is one request among all whose answer is believed unread."""
    ordeal = stands.swept(name, tmp_path, monkeypatch)

    assert not ordeal.faults, "\n".join(ordeal.faults)
