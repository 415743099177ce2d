"""Snap audience match. Source: developers.snap.com/api/marketing-api, "How to Normalize
Identifiers": phone as digits with country code and without `+` and leading zeros,
device id in lower case.
"""

from __future__ import annotations

from audiencehub.privacy import normal
from audiencehub.privacy.rule import Rule, Rules

RULES: Rules = {
    "email": Rule(normal.email),
    "phone": Rule(normal.digits_only),
    "device_id": Rule(normal.device_lower),
}
