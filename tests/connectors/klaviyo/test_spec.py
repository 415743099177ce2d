"""The connector's front page."""

import pytest
from pydantic import ValidationError

from audiencehub import connector
from audiencehub.model import Need
from audiencehub.privacy import PLATFORMS, Identifier, Refused, identify
from connectors.klaviyo.options import Options


def test_the_front_page_leads_somewhere():
    """If this fails, the hub lists Klaviyo but cannot open it, or sends without e-mail consent."""
    spec = connector.spec("klaviyo")
    for path in (spec.destination, spec.sandbox, spec.options):
        assert connector.load(path)
    can = connector.load(spec.destination).can
    assert can.need == Need("marketing", "email")
    assert set(can.identifiers) <= set(PLATFORMS[can.platform])
    assert (can.batch_size, can.minimum, can.counts, can.reads) == (10_000, None, True, False)
    assert {(one.calls, one.seconds) for one in can.ceilings} == {(10, 1.0), (150, 60.0)}


@pytest.mark.parametrize(
    "options",
    [
        {"revision": "v3"},
        {"typo": 1},
        {"wait_seconds": -1},
        {"namespace": "Has Blanks"},
        {"api_key": "pk_in_the_clear"},
    ],
)
def test_wrong_options_are_refused(options):
    """If this fails, a typing error, or a secret in a file, passes silently."""
    with pytest.raises(ValidationError) as error:
        Options(**options)
    assert "in_the_clear" not in str(error.value)


def test_addresses_go_as_they_are():
    """If this fails, Klaviyo is sent hashes, or a spelling that makes a second profile."""
    found = identify("klaviyo", "email", " Mary.Weiß+News@Acme.EXAMPLE ")
    assert found == Identifier(*["mary.weiß+news@acme.example"] * 2, hashed=False)
    assert isinstance(identify("klaviyo", "email", "ab" * 32), Refused)
    assert isinstance(identify("klaviyo", "phone", "+1 650 555 1212"), Refused)
