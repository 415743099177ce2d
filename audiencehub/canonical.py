"""The canonical tables: what every source is said in, and what rules read. Data, no behaviour.

Field names follow the Segment traits where they exist; the mapping from CRM names stands in each
connector. `contact` and `account` hold one row per person and company after identity resolution;
the others are facts about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Type = Literal["text", "integer", "money", "number", "boolean", "date", "instant", "texts", "json"]
"""`money` is a decimal in the currency of its row; `instant` is UTC; `texts` a list of text."""
Privacy = Literal["none", "personal", "identifier", "sensitive"]
"""`identifier` names a person by itself (e-mail, phone) and never reaches a log;
`sensitive` is unfit for ads."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a canonical table."""

    name: str
    type: Type
    about: str = ""
    privacy: Privacy = "none"
    clean: str = ""
    """The cleaner that normalize applies (`cleaning.CLEANERS`); empty: by type alone."""


@dataclass(frozen=True, slots=True)
class Table:
    """One canonical table. Entities have an id of the hub's; facts point to entities."""

    name: str
    about: str
    fields: tuple[Field, ...]
    entity: bool = False

    def field(self, name: str) -> Field | None:
        """The field of that name, if there is one."""
        return next((one for one in self.fields if one.name == name), None)


CONTACT = Table(
    "contact",
    "One person after resolution.",
    (
        Field("email", "text", "Normalized e-mail address", "identifier", "email"),
        Field("email_domain", "text", "Domain of the e-mail address"),
        Field("phone", "text", "Phone in E.164", "identifier", "phone"),
        Field("first_name", "text", "Given name", "personal", "text"),
        Field("last_name", "text", "Family name", "personal", "text"),
        Field("title", "text", "Job title as written", "none", "text"),
        Field(
            "seniority",
            "text",
            "owner, founder, c_suite, partner, vp, head, director, manager, senior, entry, intern",
            "none",
            "slug",
        ),
        Field("department", "text", "Department of the job", "none", "slug"),
        Field("city", "text", "City", "personal", "text"),
        Field(
            "state", "text", "State or region; ISO 3166-2 subdivision where known", "none", "state"
        ),
        Field("country", "text", "ISO 3166-1 alpha-2", "none", "country"),
        Field("postal_code", "text", "Postal code", "personal", "text"),
        Field("timezone", "text", "IANA time zone", "none", "text"),
        Field("language", "text", "ISO 639-1", "none", "slug"),
        Field("birth_date", "date", "Date of birth", "identifier"),
        Field("gender", "text", "As the person states it", "sensitive", "slug"),
        Field(
            "lifecycle_stage",
            "text",
            "subscriber, lead, mql, sql, opportunity, customer, evangelist, other",
            "none",
            "slug",
        ),
        Field("lead_source", "text", "Where the contact came from", "none", "slug"),
        Field("external_id", "text", "The company's own id of the person", "identifier", "text"),
        Field("is_employee", "boolean", "Works for the company itself"),
        Field("is_test", "boolean", "A test record"),
        Field("created_at", "instant", "First created in any source"),
        Field("last_seen_at", "instant", "Last change in any source"),
        Field("first_event_at", "instant", "First activity of any kind"),
        Field("last_event_at", "instant", "Latest activity of any kind"),
    ),
    entity=True,
)
ACCOUNT = Table(
    "account",
    "One company after resolution.",
    (
        Field("name", "text", "Name as the best source writes it", "none", "text"),
        Field("domain", "text", "Registrable domain of the website", "none", "domain"),
        Field(
            "industry", "text", "Industry group, one slug of the pivot taxonomy", "none", "industry"
        ),
        Field("employee_count", "integer", "Employees", "none", "count"),
        Field("annual_revenue", "money", "Annual revenue, in the company's currency"),
        Field("founded_year", "integer", "Year founded", "none", "count"),
        Field("type", "text", "prospect, customer, partner, competitor, other", "none", "slug"),
        Field("city", "text", "City of the head office", "none", "text"),
        Field("state", "text", "State of the head office", "none", "state"),
        Field("country", "text", "ISO 3166-1 alpha-2 of the head office", "none", "country"),
        Field("postal_code", "text", "Postal code of the head office", "none", "text"),
        Field("stage", "text", "Funding stage", "none", "slug"),
        Field("business_model", "text", "b2b, b2c, b2b2c, …", "none", "slug"),
        Field("external_id", "text", "The company's own id of the account", "none", "text"),
        Field("created_at", "instant", "First created in any source"),
    ),
    entity=True,
)
FACTS = (
    Table(
        "deal",
        "An opportunity of an account.",
        (
            Field("name", "text", "Name", "none", "text"),
            Field("amount", "money", "Amount in `currency`"),
            Field("currency", "text", "ISO 4217", "none", "currency"),
            Field("stage", "text", "Stage as the CRM names it", "none", "slug"),
            Field("is_closed", "boolean", "Won or lost"),
            Field("is_won", "boolean", "Won"),
            Field("close_date", "date", "Closed, or expected to close"),
            Field("created_at", "instant", "Created"),
        ),
    ),
    Table(
        "order",
        "A purchase of a contact.",
        (
            Field("at", "instant", "When it was placed"),
            Field("total", "money", "Total in `currency`"),
            Field("currency", "text", "ISO 4217", "none", "currency"),
            Field("quantity", "integer", "Units", "none", "count"),
            Field("status", "text", "Status", "none", "slug"),
            Field("channel", "text", "Where it was placed", "none", "slug"),
        ),
    ),
    Table(
        "event",
        "Something a contact did, on the web, in the product, by e-mail, or with sales.",
        (
            Field("name", "text", "page_view, login, email_click, meeting, …", "none", "slug"),
            Field("at", "instant", "When"),
            Field("path", "text", "Path of the page, for page views"),
            Field("campaign", "text", "Campaign, for marketing events", "none", "text"),
            Field("channel", "text", "web, product, email, sales, …", "none", "slug"),
            Field("status", "text", "Outcome or response", "none", "slug"),
            Field("feature", "text", "Product feature, for usage events", "none", "slug"),
            Field("value", "number", "A number that the event carries"),
            Field("properties", "json", "All else the source sent"),
        ),
    ),
    Table(
        "technology_install",
        "A technology seen at an account.",
        (
            Field("technology", "text", "Product, as a slug", "none", "technology"),
            Field("category", "text", "Category, as a slug", "none", "slug"),
            Field("first_detected_at", "instant", "First seen"),
            Field("last_detected_at", "instant", "Last seen"),
            Field("is_live", "boolean", "Still in use when last looked at"),
        ),
    ),
    Table(
        "intent_signal",
        "An account's research interest in a topic over a period.",
        (
            Field("topic", "text", "Topic, lower case, one space between words", "none", "topic"),
            Field("category", "text", "Category of the topic", "none", "topic"),
            Field("score", "number", "0 to 100; 60 and more is surging for Bombora"),
            Field("period_start", "date", "First day"),
            Field("period_end", "date", "Last day"),
        ),
    ),
    Table(
        "consent",
        "What a person has said about being addressed. Never a rule condition.",
        (
            Field("purpose", "text", "advertising, marketing", "none", "slug"),
            Field("channel", "text", "ads, email, phone, any", "none", "slug"),
            Field("status", "text", "granted, denied", "none", "slug"),
            Field("at", "instant", "When it was said"),
            Field("proof", "text", "Where the source recorded it", "none", "text"),
        ),
    ),
)
TABLES: Mapping[str, Table] = {table.name: table for table in (CONTACT, ACCOUNT, *FACTS)}

ACTIVITY: Mapping[str, str] = {"event": "at", "order": "at"}
"""Fact tables that rules read through windows, and the field that dates a row."""
