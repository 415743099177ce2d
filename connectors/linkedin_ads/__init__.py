"""LinkedIn: segments as matched audiences."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="linkedin_ads",
    label="LinkedIn matched audiences",
    about="Keeps a matched audience per segment, of people by hashed e-mail or of companies.",
    destination="connectors.linkedin_ads.destination:LinkedInAds",
    sandbox="connectors.linkedin_ads.sandbox:LinkedInSandbox",
    options="connectors.linkedin_ads.options:Options",
    secrets=("token", "refresh_token", "client_secret"),
    scopes=("rw_dmp_segments", "rw_ads"),
    docs="https://learn.microsoft.com/linkedin/marketing/matched-audiences/matched-audiences",
)
