"""The connector's front page."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from audiencehub import connector
from audiencehub.model import Ceiling, Need
from audiencehub.privacy import PLATFORMS
from connectors.google_ads.options import Options

SECRET = {"env": "GOOGLE_SECRET"}


def test_the_front_page_leads_somewhere():
    """If this fails, the hub lists Google Ads but cannot open it."""
    spec = connector.spec("google_ads")
    assert spec.label == "Google Ads"
    for path in (spec.destination, spec.sandbox, spec.options):
        assert connector.load(path)
    can = connector.load(spec.destination).can
    assert can.need == Need("advertising", "ads")
    assert set(can.identifiers) <= set(PLATFORMS[can.platform])
    assert (can.batch_size, can.minimum, can.reads) == (10_000, 100, False)
    assert can.processes_later and can.counts and can.replaces and can.remembers
    assert can.lifetime == timedelta(days=540)
    assert [(one.calls, one.seconds) for one in can.ceilings] == [(300, 60), (100_000, 86_400)]
    assert all(isinstance(one, Ceiling) for one in can.ceilings)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"account_id": "x"},
        {"account_id": "12345"},
        {"account_id": "1234567890", "membership_days": 541},
        {"account_id": "1234567890", "membership_days": 0},
        {"account_id": "1234567890", "typo": 1},
        {"account_id": "1234567890", "refresh_token": "a-token-in-the-clear"},
        {"account_id": "1234567890", "refresh_token": SECRET},
        {
            "account_id": "1234567890",
            "client_id": "c",
            "client_secret": SECRET,
            "refresh_token": SECRET,
            "service_account": SECRET,
        },
        {"account_id": "1234567890", "refresh_token": SECRET, "client_id": "c"},
    ],
)
def test_wrong_options_are_refused(options):
    """If this fails, a typing error, or a secret in a file, passes silently."""
    with pytest.raises(ValidationError) as error:
        Options(**options)
    assert "in-the-clear" not in str(error.value)


def test_accounts_are_written_either_way():
    """If this fails, who copies the number from Google Ads, with its dashes, gets another."""
    for written in ("123-456-7890", "1234567890"):
        options = Options(account_id=written, login_account_id=written)
        assert options.account == options.login == "1234567890"
    assert Options(account_id="123-456-7890").login is None
