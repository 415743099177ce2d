"""BuiltWith: which technologies a company's site uses, and since when."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="builtwith",
    label="BuiltWith",
    about="Looks up the technologies on the sites of known accounts, with first and last sighting.",
    enricher="connectors.builtwith.source:BuiltWithEnricher",
    sandbox="connectors.builtwith.sandbox:BuiltWithSandbox",
    options="connectors.builtwith.options:BuiltWithOptions",
    secrets=("token",),
    scopes=("an API key with credits: one per domain that is found",),
    docs="https://api.builtwith.com/domain-api",
)
