"""What travels: intents, what is believed of a member, and tag values as the ledger writes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audiencehub.ledger.stamps import document
from audiencehub.model import TagValue


@dataclass(frozen=True, slots=True)
class Intent:
    """One change on its way."""

    seq: int
    plan_id: str
    member: str
    person: int | None
    op: str
    phase: int
    value: str | None
    value_hash: str
    why: str
    state: str
    attempts: int
    batch_id: str | None

    @property
    def tags(self) -> TagValue:
        """The value of a tag intent."""
        return tag_value(self.value)


@dataclass(frozen=True, slots=True)
class Believed:
    """What a target is proven to hold for one member."""

    value_hash: str
    value: str | None
    person: int | None

    @property
    def tags(self) -> frozenset[str]:
        """Its tags, for tag targets."""
        return frozenset(tag_value(self.value).tags)


def tag_value(text: str | None) -> TagValue:
    """A stored tag value as it is sent: the tags, and a line of reason for each."""
    if text is None:
        return TagValue()
    found = json.loads(text)
    reasons = found.get("reasons")
    lines = None if reasons is None else [reasons[t] for t in found["tags"] if t in reasons]
    return TagValue(tuple(found["tags"]), None if lines is None else "\n".join(lines))


def tag_text(tags: Iterable[str], reasons: Mapping[str, str] | None = None) -> str:
    """A tag value as stored; without reasons the reason field is left as it is."""
    listed = sorted(tags)
    kept = None if reasons is None else {t: reasons[t] for t in listed if t in reasons}
    return document({"tags": listed, "reasons": kept})


def tag_reasons(text: str | None) -> dict[str, str] | None:
    """The reasons of a stored value, by segment."""
    found: dict[str, str] | None = json.loads(text)["reasons"] if text else None
    return found


def tag_hash(tags: Iterable[str]) -> str:
    """The digest of a tag set; reasons do not count, so that figures may change."""
    return hashlib.sha256(document(sorted(tags)).encode()).hexdigest()
