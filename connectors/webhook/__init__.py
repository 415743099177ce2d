"""Webhook: segments as signed changes, to a receiver of one's own."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="webhook",
    label="Webhook",
    about="Posts who enters and leaves each segment to a receiver of your own, signed.",
    destination="connectors.webhook.destination:Webhook",
    sandbox="connectors.webhook.sandbox:WebhookSandbox",
    options="connectors.webhook.options:Options",
    secrets=("url", "key"),
    docs="docs/webhook.md",
)
