"""TikTok segment mapping: EMAIL_SHA256, PHONE_SHA256, IDFA_SHA256, AAID_SHA256.

Whether TikTok wants dots and suffixes off e-mail addresses is disputed between connectors and said
nowhere officially, so that an address is trimmed and lowered and no more.
"""

from __future__ import annotations

from audiencehub.privacy import normal
from audiencehub.privacy.rule import Rule, Rules

RULES: Rules = {
    "email": Rule(normal.email),
    "phone": Rule(normal.e164),
    "device_id": Rule(normal.device_lower),
}
