"""Microsoft Advertising: segments as customer lists."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="microsoft_ads",
    label="Microsoft Advertising",
    about="Keeps a customer list per segment: hashed addresses and own ids in, and out again.",
    destination="connectors.microsoft_ads.destination:MicrosoftAds",
    sandbox="connectors.microsoft_ads.sandbox:MicrosoftSandbox",
    options="connectors.microsoft_ads.options:Options",
    secrets=("refresh_token", "client_secret", "developer_token"),
    scopes=("https://ads.microsoft.com/msads.manage", "offline_access"),
    docs="https://learn.microsoft.com/advertising/campaign-management-service/customerlist",
)
