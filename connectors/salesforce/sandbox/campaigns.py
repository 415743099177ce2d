"""Campaigns of the fake org: who may make them, who may be a member, and how many there are.

Object Reference, Campaign and CampaignMember.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.sandbox.store import Store
from connectors.salesforce.sandbox.schema import to_18

Json = dict[str, Any]
Problem = tuple[str, str, tuple[str, ...]]
"""Status code, message, fields to blame."""
LINKS = {"ContactId": "Contact", "LeadId": "Lead"}


class Campaigns:
    """Checks and counts; rows live in the store's table `CampaignMember`."""

    def __init__(self, store: Store, knob: Callable[[str], Any]) -> None:
        self._store, self._knob = store, knob
        self._rows: dict[tuple[str, str], str] = {}
        self._seen = -1

    def problem(self, entity: str, clean: Json) -> Problem | None:
        """What speaks against this new record, whose links it puts into their long form."""
        if entity == "Campaign" and self._knob("marketing_user") is False:
            return (
                "INSUFFICIENT_ACCESS_OR_READONLY",
                "insufficient access rights on object id",
                (),
            )
        return self._member(clean) if entity == "CampaignMember" else None

    def _member(self, clean: Json) -> Problem | None:
        for name in ("CampaignId", *LINKS):
            if clean.get(name):
                clean[name] = to_18(str(clean[name]))
        if clean.get("ContactId"):
            # Of two links only the contact's is kept.
            clean["LeadId"] = None
        link = next((name for name in LINKS if clean.get(name)), None)
        if link is None:
            return "REQUIRED_FIELD_MISSING", "Required fields are missing: [LeadId]", ("LeadId",)
        for entity, key in (("Campaign", clean.get("CampaignId")), (LINKS[link], clean[link])):
            record = self._store.table(entity).get(str(key))
            if record is None:
                return "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ()
            if record.get("IsDeleted"):
                return "ENTITY_IS_DELETED", "entity is deleted", ()
            if record.get("IsConverted"):
                return "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ()
        if self._known(clean["CampaignId"], clean[link]):
            return "DUPLICATE_VALUE", "Already a campaign member.", ()
        return None

    def _known(self, campaign: str, person: str) -> bool:
        table = self._store.table("CampaignMember")
        if len(table) != self._seen:
            self._seen, self._rows = len(table), {}
            for key, row in table.items():
                self.made(key, row)
        known = self._rows.get((campaign, person))
        return known in table and not table[known].get("IsDeleted") if known else False

    def made(self, key: str, row: Mapping[str, Any]) -> None:
        """A row that is there now."""
        if row.get("IsDeleted"):
            return
        for link in LINKS:
            if row.get(link):
                self._rows[row["CampaignId"], row[link]] = key

    def created(self, key: str, row: Mapping[str, Any]) -> None:
        """A row that was just put into the table."""
        self._seen += 1
        self.made(key, row)

    def counted(self, record: Json) -> Json:
        """A campaign with the numbers that the vendor keeps."""
        rows = [
            row
            for row in self._store.table("CampaignMember").values()
            if row["CampaignId"] == record["Id"] and not row.get("IsDeleted")
        ]
        return {
            **record,
            "NumberOfContacts": sum(bool(row.get("ContactId")) for row in rows),
            "NumberOfLeads": sum(not row.get("ContactId") for row in rows),
        }
