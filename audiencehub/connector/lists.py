"""What destinations of lists have in common: finding a list of ours, and rows left in doubt."""

from __future__ import annotations

import hashlib

from audiencehub.errors import OutcomeUnknown
from audiencehub.model import Target, Verdict

MAKE_ANEW = "To have it made and filled again: audiencehub push --anew --target <that target>"
"""What a person does about a list that somebody deleted: by itself the hub makes none again."""


def mark_of(namespace: str, target: Target, digits: int = 16) -> str:
    """`[ah:1f2e3d4c5b6a7f8e]`: what a list of ours carries at the platform, to be found by a run
    that did not live to remember it. Two hubs that share an account have two namespaces."""
    digest = hashlib.sha256(f"{namespace}|{target.id}".encode()).hexdigest()
    return f"[ah:{digest[:digits]}]"


def unsettled(error: Exception) -> tuple[Verdict, str]:
    """Verdict and reason of rows whose call failed after others of their batch were through."""
    verdict: Verdict = "unknown" if isinstance(error, OutcomeUnknown) else "retry"
    return verdict, f"{type(error).__name__.lower()}: call not settled"
