"""Forgetting a person: removed everywhere, erased here, kept from returning; with a certificate."""

from audiencehub.forgetting.certificate import text as certificate_text
from audiencehub.forgetting.whole import POINTS, Look, Outcome, carry_on, forget, look

__all__ = ["POINTS", "Look", "Outcome", "carry_on", "certificate_text", "forget", "look"]
