"""BuiltWith keeps the contract of an enricher."""

from __future__ import annotations

from typing import ClassVar

from audiencehub.testing.enricher import EnricherContract


class TestBuiltWith(EnricherContract):
    """Technologies by domain, in bulk jobs of twenty domains."""

    connector = "builtwith"
    options: ClassVar = {"domains_per_job": 20, "poll_seconds": 0}
