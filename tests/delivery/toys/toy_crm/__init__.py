"""A CRM of nothing but tags."""

from audiencehub.connector import Spec

SPEC = Spec("toy_crm", "Toy CRM", "Tags on records.", destination="toys:ToyTags")
