"""The connector's front page."""

import pytest
from pydantic import ValidationError

from audiencehub import connector
from audiencehub.model import Need
from audiencehub.privacy import PLATFORMS, Identifier, Refused, identify
from connectors.mailchimp.options import Options


def test_the_front_page_leads_somewhere():
    """If this fails, the hub lists Mailchimp but cannot open it, or sends without e-mail
    consent."""
    spec = connector.spec("mailchimp")
    for path in (spec.destination, spec.sandbox, spec.options):
        assert connector.load(path)
    can = connector.load(spec.destination).can
    assert can.need == Need("marketing", "email")
    assert set(can.identifiers) <= set(PLATFORMS[can.platform])
    assert (can.batch_size, can.minimum, can.mixed, can.counts) == (500, None, True, True)
    assert can.ceilings == (), "Mailchimp documents connections, and no rate"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"audience_id": "Newsletter list"},
        {"audience_id": "a1b2c3d4e5", "create": "subscribed"},
        {"audience_id": "a1b2c3d4e5", "typo": 1},
        {"audience_id": "a1b2c3d4e5", "api_key": "key_in_the_clear-us6"},
    ],
)
def test_wrong_options_are_refused(options):
    """If this fails, a typing error passes silently, or a setting makes subscribers."""
    with pytest.raises(ValidationError) as error:
        Options(**options)
    assert "in_the_clear" not in str(error.value)


def test_addresses_go_as_they_are():
    """If this fails, Mailchimp is sent hashes, or a spelling that makes a second contact."""
    found = identify("mailchimp", "email", " Mary.Weiß+News@Acme.EXAMPLE ")
    assert found == Identifier(*["mary.weiß+news@acme.example"] * 2, hashed=False)
    assert isinstance(identify("mailchimp", "email", "ab" * 32), Refused)
