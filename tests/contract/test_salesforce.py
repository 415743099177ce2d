"""Salesforce keeps the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from audiencehub.model import Change, Target
from audiencehub.sandbox.company import Company
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.lists import ListContract
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


class TestSalesforceCampaigns(ListContract):
    """Campaigns, by the contacts and leads of people, of whom one is both."""

    connector = "salesforce"
    options = QUICK
    unusable: ClassVar = {"records": "003000000000000AAA"}
    key = "records"

    def changes(self, bench: FakeBench, target: Target, *, there: bool) -> list[Change]:
        """Five people with six records."""
        found = []
        for entity in ("Contact", "Lead"):
            rows = bench.sandbox.store.table(entity).items()
            found.append(sorted(id_ for id_, one in rows if not one["IsDeleted"])[:3])
        contacts, leads = found
        people = [f"{contacts[0]},{leads[0]}", *contacts[1:], *leads[1:]]
        return [
            Change(f"{number}", "add" if there else "remove", identifiers={"records": ids})
            for number, ids in enumerate(people)
        ]

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The contacts and leads of the fake's campaign, together as their people have them."""
        held = {
            str(one["ContactId"] or one["LeadId"])
            for one in bench.sandbox.store.table("CampaignMember").values()
            if one["CampaignId"] == target.remote["campaign_id"] and not one["IsDeleted"]
        }
        whole = [one.identifiers["records"] for one in self.changes(bench, target, there=True)]
        found = [ids for ids in whole if held.issuperset(ids.split(","))]
        return found + sorted(held - {id_ for ids in found for id_ in ids.split(",")})
