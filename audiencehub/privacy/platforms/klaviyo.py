"""Klaviyo profiles, in plain text: an e-mail address is the key of a profile.

Source: developers.klaviyo.com/en/reference/bulk_import_profiles.
"""

from __future__ import annotations

from audiencehub.privacy import normal
from audiencehub.privacy.rule import Rule, Rules

RULES: Rules = {
    "email": Rule(normal.email, hashed=False),
    "first_name": Rule(normal.plain, hashed=False),
    "last_name": Rule(normal.plain, hashed=False),
}
