"""The Prefect flows: thin, and the only place that imports prefect."""

from audiencehub.http import redact_every_record

# Prefect's own handlers send what they get to its database.
redact_every_record()
