"""What may join records, and how much of it: one policy for people, one for companies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields

from audiencehub.cleaning.mail import role_pattern
from audiencehub.settings import Identity

STATED = ("manual", "crm_merge")
"""Links that somebody stated: a person in the hub, a merge or a converted lead in a CRM.
They hold whatever the limits, unless a separation says otherwise."""
UNLIMITED = 1 << 40
NOTHING = "^[^\\s\\S]$"
"""The regular expression that finds nothing."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Which keys join records of one entity, the strongest first, and their limits."""

    entity: str
    keys: Mapping[str, str]
    """Kind of key to the column of the source table that holds it."""
    records_per_key: int
    values_per_profile: Mapping[str, int]
    records_per_profile: int
    keys_per_profile: int
    blocked: tuple[str, ...]
    mailboxes: str = NOTHING
    """Regular expression of what stands before the @ of an address that several people share."""
    excluded: tuple[str, ...] = ()
    """Domains that name no company."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of link by priority: of two that cannot both hold, the first does."""
        return (*STATED, *self.keys)

    @property
    def version(self) -> str:
        """Changes with the policy, so that what stood under another one is computed anew."""
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        text = json.dumps(said, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def contacts(settings: Identity) -> Policy:
    """The same customer number or the same e-mail address is the same person."""
    return Policy(
        entity="contact",
        keys={"external_id": "external_id", "email": "email"},
        records_per_key=settings.records_per_key,
        values_per_profile={
            str(kind): limit for kind, limit in settings.values_per_profile.items()
        },
        records_per_profile=settings.merges_per_profile + 1,
        keys_per_profile=settings.keys_per_profile,
        blocked=tuple(settings.blocked_values),
        mailboxes=role_pattern(
            frozenset(name.lower() for name in settings.shared_mailboxes),
            frozenset(name.lower() for name in settings.personal_mailboxes),
        ),
    )


def accounts(settings: Identity, free: tuple[str, ...]) -> Policy:
    """The same registrable domain is the same company, unless it is a provider's."""
    return Policy(
        entity="account",
        keys={"domain": "domain"},
        records_per_key=UNLIMITED,
        values_per_profile={},
        records_per_profile=UNLIMITED,
        keys_per_profile=UNLIMITED,
        blocked=tuple(settings.blocked_values),
        excluded=free,
    )
