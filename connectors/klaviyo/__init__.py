"""Klaviyo: segments as lists."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="klaviyo",
    label="Klaviyo",
    about="Keeps a list per segment. Who is added is not subscribed by that, nor the reverse.",
    destination="connectors.klaviyo.destination:Klaviyo",
    sandbox="connectors.klaviyo.sandbox:KlaviyoSandbox",
    options="connectors.klaviyo.options:Options",
    secrets=("api_key",),
    scopes=("accounts:read", "lists:read", "lists:write", "profiles:read", "profiles:write"),
    docs="https://developers.klaviyo.com/en/reference/lists_api_overview",
)
