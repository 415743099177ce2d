"""Google's own words, as its library spells them."""

import json
import re

import pytest
from google.ads import datamanager_v1 as dm

from connectors.google_ads import faults, status
from connectors.google_ads.destination import GRANTED


def test_every_reason_that_is_read_is_one_of_googles():
    """If this fails, a misspelt reason is never recognized, and its instruction never given."""
    known = {one.name for one in dm.ErrorReason}
    read = faults.ROW_REASONS | faults.GONE | faults.TOO_OLD | {faults.TAKEN} | set(faults._STOPS)
    assert read <= known
    assert not faults.ROW_REASONS & set(faults._STOPS)


def test_every_state_has_a_meaning():
    """If this fails, a state that Google knows is read as another."""
    kinds = dm.RequestStatusPerDestination.RequestStatus
    words = {"SUCCESS": "done", "FAILED": "failed", "PARTIAL_SUCCESS": "partly"}
    for one in kinds:
        assert status.STATES[int(one)] == words.get(one.name, "running")


@pytest.mark.parametrize("kind", list(dm.MatchRateRange), ids=lambda one: one.name)
def test_match_ranges_are_what_their_names_say(kind):
    """If this fails, the console shows another match rate than Google told."""
    found = re.fullmatch(r"MATCH_RATE_RANGE_(\d+)_TO_(\d+)", kind.name)
    if kind.name.endswith("LESS_THAN_20"):
        assert status.MATCH[int(kind)] == (0.0, 0.2)
    elif found is None:
        assert int(kind) not in status.MATCH
    else:
        low, high = int(found[1]), int(found[2])
        assert status.MATCH[int(kind)] == (low / 100, min(100, high + 1) / 100)


def test_what_is_said_of_consent_parses():
    """If this fails, Google refuses every add, for a misspelt consent."""
    request = dm.IngestAudienceMembersRequest.from_json(json.dumps(GRANTED))
    assert request.consent.ad_user_data == dm.ConsentStatus.CONSENT_GRANTED
    assert request.consent.ad_personalization == dm.ConsentStatus.CONSENT_GRANTED
    signed = request.terms_of_service.customer_match_terms_of_service_status
    assert signed == dm.TermsOfServiceStatus.ACCEPTED
