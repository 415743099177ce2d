"""The text of a digest: counts, names where asked for, and a mark by which a repeated one shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audiencehub.http import slack_text
from audiencehub.model import Change, Target

PERSON = "person"
TOLD = ("entered ", "left ", "consent")
"""How the reason of a change begins that is news: corrected names, renewals and what a resync says
again are none."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Who entered and left, in the order of their numbers."""

    entered: tuple[Change, ...]
    left: tuple[Change, ...]

    @property
    def mark(self) -> str:
        """Eight hex digits, the same for the same people."""
        moves = [*(f"+{one.member}" for one in self.entered), *(f"-{o.member}" for o in self.left)]
        return hashlib.sha256("\n".join(moves).encode()).hexdigest()[:8]


def digest_of(changes: Iterable[Change], *, entering_only: bool) -> Digest:
    """What of these changes is news."""
    news = sorted((one for one in changes if one.why.startswith(TOLD)), key=lambda one: one.member)
    left = () if entering_only else tuple(one for one in news if one.op == "remove")
    return Digest(tuple(one for one in news if one.op == "add"), left)


def text_of(target: Target, digest: Digest, names: int) -> str:
    """Two lines, with names three. No identifier but names, company and counts stands in it."""
    counts = [f"{len(digest.entered):,} entered"] * bool(digest.entered)
    counts += [f"{len(digest.left):,} left"] * bool(digest.left)
    label = slack_text(target.label or target.place)
    lines = [f"*{label}*: {', '.join(counts)}."]
    called = [name for one in digest.entered if (name := _name(one))][:names]
    if called:
        lines.append(f"Entered: {_listed(called, len(digest.entered) - len(called))}.")
    lines.append(f"_audiencehub {target.place} {digest.mark}_")
    return "\n".join(lines)


def _name(one: Change) -> str:
    """`Ann Lee (Acme)`; empty for somebody without a name."""
    own = " ".join(filter(None, (one.identifiers.get(k) for k in ("first_name", "last_name"))))
    company = one.identifiers.get("company_name")
    return slack_text(f"{own} ({company})" if own and company else own)


def _listed(called: Sequence[str], more: int) -> str:
    text = ", ".join(called)
    return f"{text} and {more:,} more" if more > 0 else text
