"""The two entities: one row per person and per company after identity resolution. Data."""

from __future__ import annotations

from audiencehub.canonical.words import Field, Table

_PERSON = (
    Field("email", "text", "Normalized e-mail address", "identifier", "email"),
    Field("email_domain", "text", "Domain of the e-mail address"),
    Field(
        "company_domain",
        "text",
        "Company's domain by the e-mail address; none for free, throw-away and hosted mailboxes",
    ),
    Field("phone", "text", "Phone in E.164", "identifier", "phone"),
    Field("phone_ext", "text", "Extension of the phone, digits", "personal", "phone_ext"),
    Field("first_name", "text", "Given name", "personal", "text"),
    Field("last_name", "text", "Family name", "personal", "text"),
)
_JOB = (
    Field("title", "text", "Job title as written", "none", "text"),
    Field(
        "seniority",
        "text",
        "owner, founder, c_suite, partner, vp, head, director, manager, senior, entry, intern",
        "none",
        "seniority",
    ),
    Field("department", "text", "Department of the job", "none", "department"),
    Field(
        "buyer_role",
        "text",
        "Role in the account's purchases: decision_maker, budget_holder, executive_sponsor, "
        "champion, influencer, legal_and_compliance, end_user, blocker, other",
        "none",
        "slug",
    ),
)
_PLACE = (
    Field("city", "text", "City", "personal", "text"),
    Field("state", "text", "State or region; ISO 3166-2 subdivision where known", "none", "state"),
    Field("country", "text", "ISO 3166-1 alpha-2", "none", "country"),
    Field("postal_code", "text", "Postal code", "personal", "postal_code"),
    Field(
        "latitude", "number", "Of the address, north positive", "personal", "latitude", "degrees"
    ),
    Field(
        "longitude", "number", "Of the address, east positive", "personal", "longitude", "degrees"
    ),
    Field("timezone", "text", "IANA time zone", "none", "timezone"),
    Field(
        "climate_zone",
        "text",
        "tropical, arid, mediterranean, subtropical, oceanic, continental, polar",
        "none",
        "slug",
    ),
    Field(
        "population_density",
        "number",
        "How densely the place is settled",
        unit="inhabitants per km²",
    ),
    Field(
        "local_economy",
        "text",
        "What the place lives on: finance, technology, manufacturing, trade, tourism, …",
        "none",
        "slug",
    ),
)
_DEMOGRAPHY = (
    Field("language", "text", "ISO 639-1", "none", "language"),
    Field("birth_date", "date", "Date of birth", "identifier"),
    Field("gender", "text", "As the person states it", "sensitive", "gender"),
    Field(
        "income_band",
        "text",
        "Household income a year: 0-25k, 25k-50k, 50k-75k, 75k-100k, 100k-150k, 150k-200k, 200k+",
        "sensitive",
        "income_band",
    ),
    Field("occupation", "text", "Occupation, apart from the title", "personal", "slug"),
    Field(
        "education",
        "text",
        "Highest degree: none, primary, secondary, vocational, some_college, associate, bachelor, "
        "master, doctorate",
        "personal",
        "education",
    ),
    Field(
        "family_status",
        "text",
        "single, partnership, engaged, married, separated, divorced, widowed",
        "sensitive",
        "family_status",
    ),
)
_STANDING = (
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
)
CONTACT = Table(
    "contact",
    "One person after resolution.",
    (*_PERSON, *_JOB, *_PLACE, *_DEMOGRAPHY, *_STANDING),
    entity=True,
)
ACCOUNT = Table(
    "account",
    "One company after resolution.",
    (
        Field("name", "text", "Name as the best source writes it", "none", "text"),
        Field("name_norm", "text", "Name without case, accents and legal form, for comparison"),
        Field("domain", "text", "Registrable domain of the website", "none", "domain"),
        Field(
            "industry", "text", "Industry group, one slug of the pivot taxonomy", "none", "industry"
        ),
        Field("employee_count", "integer", "Employees", "none", "count"),
        Field(
            "employee_range",
            "text",
            "Employees as a band: 1-10, 11-50, 51-200, 201-500, 501-1000, 1001-5000, 5001-10000, "
            "10001+",
            "none",
            "employee_range",
        ),
        Field("annual_revenue", "money", "Annual revenue, in the company's currency"),
        Field(
            "revenue_range",
            "text",
            "Annual revenue as a band: 0-1M, 1M-10M, 10M-25M, 25M-50M, 50M-100M, 100M-250M, "
            "250M-500M, 500M-1B, 1B-10B, 10B+",
            "none",
            "revenue_range",
        ),
        Field("margin", "number", "Gross margin that we make with the account", unit="percent"),
        Field("founded_year", "integer", "Year founded", "none", "count"),
        Field("type", "text", "prospect, customer, partner, competitor, other", "none", "slug"),
        Field(
            "structure",
            "text",
            "Place in its group: parent, subsidiary; unknown where no source says",
            "none",
            "slug",
        ),
        Field("business_model", "text", "b2b, b2c, b2b2c, b2g, nonprofit", "none", "slug"),
        Field(
            "stage",
            "text",
            "Funding stage: bootstrapped, seed, series_a, series_b, series_c, public, …",
            "none",
            "slug",
        ),
        Field("city", "text", "City of the head office, or of billing", "none", "text"),
        Field("state", "text", "State of the head office, or of billing", "none", "state"),
        Field(
            "country",
            "text",
            "ISO 3166-1 alpha-2 of the head office, or of billing",
            "none",
            "country",
        ),
        Field(
            "postal_code",
            "text",
            "Postal code of the head office, or of billing",
            "none",
            "postal_code",
        ),
        Field(
            "latitude",
            "number",
            "Of the head office, north positive",
            "none",
            "latitude",
            "degrees",
        ),
        Field(
            "longitude",
            "number",
            "Of the head office, east positive",
            "none",
            "longitude",
            "degrees",
        ),
        Field("timezone", "text", "IANA time zone of the head office", "none", "timezone"),
        Field("external_id", "text", "The company's own id of the account", "none", "text"),
        Field("created_at", "instant", "First created in any source"),
    ),
    entity=True,
)
