"""Slack: a digest of who entered and left a segment, for the company's own staff."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="slack",
    label="Slack",
    about="Tells a channel how many entered and left each segment; names only where asked for.",
    destination="connectors.slack.destination:Slack",
    sandbox="connectors.slack.sandbox:SlackSandbox",
    options="connectors.slack.options:Options",
    secrets=("url",),
    scopes=("incoming-webhook",),
    docs="https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
)
