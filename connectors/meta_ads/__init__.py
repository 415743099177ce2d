"""Meta: segments as custom audiences."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="meta_ads",
    label="Meta ads",
    about="Keeps a custom audience per segment: hashed identifiers in, and out again.",
    destination="connectors.meta_ads.destination:MetaAds",
    sandbox="connectors.meta_ads.sandbox:MetaSandbox",
    options="connectors.meta_ads.options:Options",
    secrets=("token", "app_secret"),
    scopes=("ads_management",),
    docs="https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences",
)
