"""Mailchimp: segments as tags of one audience."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="mailchimp",
    label="Mailchimp",
    about="Keeps a tag per segment in one audience. Who is tagged is not subscribed by that.",
    destination="connectors.mailchimp.destination:Mailchimp",
    sandbox="connectors.mailchimp.sandbox:MailchimpSandbox",
    options="connectors.mailchimp.options:Options",
    secrets=("api_key",),
    scopes=("an API key of a user with the role Manager",),
    docs="https://mailchimp.com/developer/marketing/api/list-segments/",
)
