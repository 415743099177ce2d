"""A CRM that is read from and written to: people, and tags on them."""

from audiencehub.connector import Spec

SPEC = Spec(
    "model_crm",
    "Model CRM",
    "People and tags.",
    source="tests.model.world:CrmSource",
    destination="tests.model.world:CrmTags",
)
