"""Mailchimp contacts, in plain text: an address counts in lower case, names are merge fields.

Source: mailchimp.com/developer/marketing/docs/methods-parameters ("subscriber hash").
"""

from __future__ import annotations

from audiencehub.privacy import normal
from audiencehub.privacy.rule import Rule, Rules

RULES: Rules = {
    "email": Rule(normal.email, hashed=False),
    "first_name": Rule(normal.plain, hashed=False),
    "last_name": Rule(normal.plain, hashed=False),
}
