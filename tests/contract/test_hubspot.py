"""HubSpot keeps the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from audiencehub.model import Change, Target
from audiencehub.sandbox.company import Company
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.lists import ListContract
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


class TestHubSpotLists(ListContract):
    """Static lists, by the records of people, of whom one has two."""

    connector = "hubspot"
    unusable: ClassVar = {"records": "99999999999"}
    key = "records"

    def changes(self, bench: FakeBench, target: Target, *, there: bool) -> list[Change]:
        """Five people with six records."""
        records = bench.sandbox.store.table("object:contacts").items()
        found = sorted(id_ for id_, one in records if not one["archived"])[:6]
        people = [",".join(found[:2]), *found[2:]]
        return [
            Change(f"{number}", "add" if there else "remove", identifiers={"records": ids})
            for number, ids in enumerate(people)
        ]

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The ids on the fake's list, together as their people have them."""
        held = set(bench.sandbox.store.table(f"members:{target.remote['list_id']}"))
        whole = [one.identifiers["records"] for one in self.changes(bench, target, there=True)]
        found = [ids for ids in whole if held.issuperset(ids.split(","))]
        return found + sorted(held - {id_ for ids in found for id_ in ids.split(",")})
