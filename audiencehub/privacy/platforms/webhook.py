"""A receiver of one's own: values in the form that most programs take.

`RULES` as readable text; `HASHED` with e-mail and phone as SHA-256, as ad platforms do it.
"""

from __future__ import annotations

from dataclasses import replace

from audiencehub.privacy import normal
from audiencehub.privacy.platforms.linkedin import company_domain
from audiencehub.privacy.rule import Rule, Rules

RULES: Rules = {
    "email": Rule(normal.email, hashed=False),
    "phone": Rule(normal.e164, hashed=False),
    "first_name": Rule(normal.plain, hashed=False),
    "last_name": Rule(normal.plain, hashed=False),
    "city": Rule(normal.plain, hashed=False),
    "state": Rule(normal.plain, hashed=False),
    "zip": Rule(normal.plain, hashed=False),
    "country": Rule(normal.iso2, hashed=False),
    "external_id": Rule(normal.opaque, hashed=False, opaque=True),
    "company_name": Rule(normal.plain, hashed=False),
    "company_domain": Rule(company_domain, hashed=False),
}
HASHED: Rules = {
    **RULES,
    **{name: replace(RULES[name], hashed=True) for name in ("email", "phone")},
}
