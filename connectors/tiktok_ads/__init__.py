"""TikTok: segments as custom audiences."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="tiktok_ads",
    label="TikTok ads",
    about="Keeps a custom audience per segment through the streaming segment API.",
    destination="connectors.tiktok_ads.destination:TikTokAds",
    sandbox="connectors.tiktok_ads.sandbox:TikTokSandbox",
    options="connectors.tiktok_ads.options:Options",
    secrets=("token",),
    scopes=("Audience Management", "the streaming segment API (allow-listed by TikTok)"),
    docs="https://business-api.tiktok.com/portal/docs",
)
