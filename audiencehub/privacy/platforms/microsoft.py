"""Microsoft Advertising customer lists. Source: learn.microsoft.com/advertising,
CustomerListUserData and the bulk file's customer list item. No official text says how a phone is
normalized.
"""

from __future__ import annotations

from audiencehub.privacy import normal
from audiencehub.privacy.rule import Rule, Rules

RULES: Rules = {
    "email": Rule(normal.email),
    "phone": Rule(normal.e164, unverified=True),
    "external_id": Rule(normal.opaque, hashed=False, opaque=True),
}
