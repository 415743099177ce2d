"""Salesforce keeps the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from audiencehub.sandbox.company import Company
from audiencehub.testing.source import SourceContract
from audiencehub.testing.tags import TagContract

QUICK = {"poll_seconds": 0.001, "calls_per_second": 100_000}


class TestSalesforceSource(SourceContract):
    """Contacts, leads, accounts, deals, activities and campaign members, over REST."""

    connector = "salesforce"
    options = QUICK

    def holds(self, company: Company) -> Mapping[str, int]:
        """What the company's org has."""
        people = [
            one
            for one in company.contacts
            if one.crm == "salesforce" and not one.deleted and one.merged_into is None
        ]
        return {
            "contact": sum(one.kind == "contact" for one in people),
            "lead": sum(one.kind == "lead" for one in people),
            "account": sum(one.crm == "salesforce" and not one.deleted for one in company.accounts),
            "deal": sum(one.crm == "salesforce" and not one.deleted for one in company.deals),
            "activity": sum(one.crm == "salesforce" for one in company.activities),
            "campaign_member": len(company.campaign_members),
        }


class TestSalesforceBulk(TestSalesforceSource):
    """The same over Bulk API 2.0, on two of the streams."""

    options = QUICK | {
        "bulk_query_above": 0,
        "bulk_page": 60,
        "job_minutes": 0.01,
        "streams": ["contact", "activity"],
    }


class TestSalesforceTags(TagContract):
    """Segment tags on contacts, leads and accounts."""

    connector = "salesforce"
    options = QUICK
    nobody: ClassVar = {
        "contact": "003000000000000AAA",
        "lead": "00Q000000000000AAA",
        "account": "001000000000000AAA",
    }
