"""The connector's front page."""

import pytest
from pydantic import ValidationError

from audiencehub import connector
from audiencehub.model import Need
from audiencehub.privacy import PLATFORMS
from connectors.meta_ads.options import Options
from connectors.meta_ads.upload import COLUMNS


def test_the_front_page_leads_somewhere():
    """If this fails, the hub lists Meta but cannot open it."""
    spec = connector.spec("meta_ads")
    for path in (spec.destination, spec.sandbox, spec.options):
        assert connector.load(path)
    can = connector.load(spec.destination).can
    assert can.need == Need("advertising", "ads")
    assert set(can.identifiers) <= set(COLUMNS) == set(PLATFORMS[can.platform])
    assert (can.batch_size, can.reads, can.minimum) == (10_000, False, 100)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ad_account_id": "x"},
        {"ad_account_id": "1", "api_version": "25"},
        {"ad_account_id": "1", "customer_file_source": "BOUGHT"},
        {"ad_account_id": "1", "typo": 1},
        {"ad_account_id": "1", "token": "a-token-in-the-clear"},
    ],
)
def test_wrong_options_are_refused(options):
    """If this fails, a typing error, or a secret in a file, passes silently."""
    with pytest.raises(ValidationError) as error:
        Options(**options)
    assert "in-the-clear" not in str(error.value)


def test_the_account_is_written_either_way():
    """If this fails, half of all users get a wrong ad account."""
    for written in ("act_12", "12"):
        assert Options(ad_account_id=written).account == "act_12"
