"""Google Ads: segments as Customer Match user lists, through the Data Manager API."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="google_ads",
    label="Google Ads",
    about="Keeps a Customer Match list per segment: hashed identifiers in, and out again.",
    destination="connectors.google_ads.destination:GoogleAds",
    sandbox="connectors.google_ads.sandbox:GoogleSandbox",
    options="connectors.google_ads.options:Options",
    secrets=("client_secret", "refresh_token", "service_account"),
    scopes=("https://www.googleapis.com/auth/datamanager",),
    docs="https://developers.google.com/data-manager/api",
)
