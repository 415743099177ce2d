"""The connector's front page."""

import pytest
from pydantic import ValidationError

from audiencehub import connector
from audiencehub.privacy import PLATFORMS
from connectors.linkedin_ads.options import Options

GOOD = {"account_id": "1", "source_platform": "ACME"}


def test_the_front_page_leads_somewhere():
    """If this fails, the hub lists LinkedIn but cannot open it."""
    spec = connector.spec("linkedin_ads")
    for path in (spec.destination, spec.sandbox, spec.options):
        assert connector.load(path)
    can = connector.load(spec.destination).can
    assert set(can.identifiers) <= set(PLATFORMS[can.platform])
    assert (can.batch_size, can.mixed, can.counts, can.minimum) == (5_000, True, True, 300)
    assert (can.reads, can.remembers, can.replaces, can.lifetime) == (False, False, False, None)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"account_id": "1"},
        {"account_id": "urn:li:sponsoredAccount:1"},
        {"source_platform": "acme corp"},
        {"members": "pets"},
        {"api_version": "2026-04"},
        {"api_version": "202613"},
        {"token": "a-token-in-the-clear"},
        {"refresh_token": {"env": "X"}},
        {"typo": 1},
    ],
)
def test_wrong_options_are_refused(options):
    """If this fails, a typing error, or a secret in a file, passes silently."""
    with pytest.raises(ValidationError) as error:
        Options(**({**GOOD, **options} if options != {"account_id": "1"} and options else options))
    assert "in-the-clear" not in str(error.value)


def test_good_options():
    """If this fails, what the example shows is refused."""
    assert Options(**GOOD).account == "urn:li:sponsoredAccount:1"
    assert Options(**GOOD, members="companies").type == "COMPANY"
