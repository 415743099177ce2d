"""HubSpot: contacts, companies, deals and engagements in; segment tags, and static lists, out."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="hubspot",
    label="HubSpot",
    about="CRM: reads contacts, companies, deals, engagements and e-mail consent; tags contacts "
    "and companies, fills static lists",
    source="connectors.hubspot.source:HubSpotSource",
    destination="connectors.hubspot.destination:HubSpotDestination",
    sandbox="connectors.hubspot.sandbox:HubSpotSandbox",
    options="connectors.hubspot.options:Options",
    secrets=("token", "client_id", "client_secret", "refresh_token"),
    scopes=(
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.companies.read",
        "crm.objects.companies.write",
        "crm.objects.deals.read",
        "crm.schemas.contacts.read",
        "crm.schemas.contacts.write",
        "crm.schemas.companies.read",
        "crm.schemas.companies.write",
        "crm.lists.read",
        "crm.lists.write",
        "communication_preferences.statuses.batch.read",
    ),
    docs="https://developers.hubspot.com/docs/api-reference/overview",
)
