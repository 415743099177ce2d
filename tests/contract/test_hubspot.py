"""HubSpot keeps the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from audiencehub.sandbox.company import Company
from audiencehub.testing.source import SourceContract
from audiencehub.testing.tags import TagContract


class TestHubSpotSource(SourceContract):
    """Contacts, companies, deals and engagements."""

    connector = "hubspot"

    def holds(self, company: Company) -> Mapping[str, int]:
        """What the company's HubSpot has."""
        people = [one for one in company.contacts if one.crm == "hubspot"]
        return {
            "contact": sum(not one.deleted and one.merged_into is None for one in people),
            "account": sum(one.crm == "hubspot" and not one.deleted for one in company.accounts),
            "deal": sum(one.crm == "hubspot" and not one.deleted for one in company.deals),
            "activity": sum(one.crm == "hubspot" for one in company.activities),
        }


class TestHubSpotTags(TagContract):
    """Segment tags on contacts and companies."""

    connector = "hubspot"
    nobody: ClassVar = {"contact": "99999999999", "account": "99999999999"}
