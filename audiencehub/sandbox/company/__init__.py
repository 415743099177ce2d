"""The demo company: seeded, believable, dirty."""

from audiencehub.sandbox.company.records import Company

__all__ = ["Company"]
