"""The destinations of the sweep, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tests.platforms.stands import STANDS, Stand


@dataclass(frozen=True, slots=True)
class Spot:
    """One kind of target at one destination."""

    connector: str
    kind: Literal["tag", "list"]
    writes: tuple[str, str] = ("", "")
    """Method and part of the path, both patterns, of the calls that carry rows: the storm is over
    these."""

    @property
    def stand(self) -> Stand:
        """How a list's fake is asked."""
        return STANDS[self.connector]

    @property
    def identifier(self) -> str:
        """What a list's members are named by."""
        return "records" if self.stand.record else "email"


SPOTS: Mapping[str, Spot] = {
    "toy_crm": Spot("toy_crm", "tag"),
    "toy_ads": Spot("toy_ads", "list"),
    "salesforce": Spot("salesforce", "tag", ("PATCH", "/composite/sobjects")),
    "hubspot": Spot("hubspot", "tag", ("POST", "/batch/update")),
    "meta_ads": Spot("meta_ads", "list", ("POST|PUT|PATCH|DELETE", "/users")),
    "linkedin_ads": Spot("linkedin_ads", "list", ("POST", "/users")),
    "microsoft_ads": Spot("microsoft_ads", "list", ("POST", "/CustomerListUserData/Apply")),
    "google_ads": Spot("google_ads", "list", ("POST", "/audienceMembers:")),
    "tiktok_ads": Spot("tiktok_ads", "list", ("POST", "/segment/mapping/")),
    "mailchimp": Spot("mailchimp", "list", ("POST", "/lists/[^/]+$|/segments/[0-9]+$")),
    "klaviyo": Spot(
        "klaviyo", "list", ("POST|PUT|PATCH|DELETE", "/relationships/profiles|-bulk-import-jobs")
    ),
    "webhook": Spot("webhook", "list", ("POST", "/audiences")),
    "hubspot_list": Spot("hubspot", "list", ("PUT", "/memberships/")),
    "salesforce_list": Spot("salesforce", "list", ("POST|PUT|PATCH|DELETE", "/composite/sobjects")),
}
TOYS = ("toy_crm", "toy_ads")
VENDORS = tuple(name for name in SPOTS if name not in TOYS)
NAMES = tuple(SPOTS)
BATCH = {**dict.fromkeys(TOYS, 5), **dict.fromkeys(VENDORS, 8)}
"""Rows of a call; vendors take more, but a crash between calls needs several of them."""
