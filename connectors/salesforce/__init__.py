"""Salesforce: people, companies, deals, activities and campaigns in; tags and campaigns out."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="salesforce",
    label="Salesforce",
    about="Reads people, companies, deals and activities; writes segment tags and their reasons; "
    "puts people into campaigns.",
    source="connectors.salesforce.source:SalesforceSource",
    destination="connectors.salesforce.destination:SalesforceTags",
    sandbox="connectors.salesforce.sandbox:SalesforceSandbox",
    options="connectors.salesforce.options:SalesforceOptions",
    secrets=("consumer_key", "consumer_secret", "private_key", "session_id"),
    scopes=(
        "api",
        "View Setup and Configuration",
        "Read on the objects pulled",
        "Edit on Contact, Lead and Account; Customize Application only for create_fields",
        "Marketing User and Create on Campaign, only for lists",
    ),
    docs="https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/",
)
