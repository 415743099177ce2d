"""A CRM's people for its fake: as many contacts of one account as are asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from audiencehub.sandbox.clock import START
from audiencehub.sandbox.company.records import Company, CrmAccount, CrmContact

MADE = datetime(2026, 3, 2, 8, tzinfo=UTC)


def key(number: int) -> str:
    """What the demo company calls this person's record."""
    return f"c{number:06d}"


def people(crm: str, count: int) -> Company:
    """The company, which has nobody but them."""
    blank: dict[str, Any] = dict.fromkeys(CrmContact.__dataclass_fields__)
    for name in ("deleted", "details"):
        blank.pop(name, None)
    who = [
        {**blank, "crm": crm, "key": key(n), "person": key(n), "kind": "contact",
         "account": "a000001", "email": f"p{n}@acme.example", "last_name": f"Weiß {n}",
         "email_opt_out": False, "created_at": MADE, "modified_at": MADE}
        for n in range(count)
    ]  # fmt: skip
    account = CrmAccount(
        crm, "a000001", "Acme", "https://acme.example", "Software", 100, None, "Berlin", None,
        "Germany", 1999, "Customer", MADE, MADE,
    )  # fmt: skip
    return Company("Acme", 0, START, (account,), tuple(CrmContact(**one) for one in who))
