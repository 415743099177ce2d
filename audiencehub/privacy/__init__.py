"""Whose data may go where, and in which form: identifiers, consent, sealing, privacy classes."""

from audiencehub.privacy.consent import Decision, Narrowing, Ruling, allowed, permitted, ruling
from audiencehub.privacy.identifiers import FIELDS, PLATFORMS, identify
from audiencehub.privacy.rule import Identifier, Refused
from audiencehub.privacy.sealed import Vault, tombstone

__all__ = [
    "FIELDS",
    "PLATFORMS",
    "Decision",
    "Identifier",
    "Narrowing",
    "Refused",
    "Ruling",
    "Vault",
    "allowed",
    "identify",
    "permitted",
    "ruling",
    "tombstone",
]
