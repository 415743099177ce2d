"""The demo company: seeded, believable, dirty."""

from audiencehub.sandbox.company.change import tomorrow
from audiencehub.sandbox.company.generate import generate
from audiencehub.sandbox.company.records import Company

__all__ = ["Company", "generate", "tomorrow"]
