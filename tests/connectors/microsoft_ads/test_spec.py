"""The connector's front page."""

import pytest
from pydantic import ValidationError

from audiencehub import connector
from audiencehub.model import Need
from audiencehub.privacy import PLATFORMS
from connectors.microsoft_ads.items import KINDS
from connectors.microsoft_ads.options import Options

GOOD = {
    "account_id": "1",
    "customer_id": "2",
    "client_id": "3f2b8a10-0000-4000-8000-000000000001",
}


def test_the_front_page_leads_somewhere():
    """If this fails, the hub lists Microsoft but cannot open it."""
    spec = connector.spec("microsoft_ads")
    for path in (spec.destination, spec.sandbox, spec.options):
        assert connector.load(path)
    can = connector.load(spec.destination).can
    assert can.need == Need("advertising", "ads")
    assert set(can.identifiers) < set(KINDS) == set(PLATFORMS[can.platform])
    assert (can.batch_size, can.minimum, can.mixed, can.replaces) == (1000, 300, True, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"account_id": "x"},
        {"customer_id": ""},
        {"client_id": "app"},
        {"membership_days": 0},
        {"membership_days": 181},
        {"tenant": "a/b"},
        {"typo": 1},
        {"refresh_token": "a-token-in-the-clear"},
    ],
)
def test_wrong_options_are_refused(wrong):
    """If this fails, a typing error, or a secret in a file, passes silently."""
    with pytest.raises(ValidationError) as error:
        Options(**{**GOOD, **wrong})
    assert "in-the-clear" not in str(error.value)
