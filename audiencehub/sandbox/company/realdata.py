"""A company made of real public data: Bombora's surge sample and the CDNOW purchases."""

from __future__ import annotations

import csv
import os
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from audiencehub.errors import ConfigError
from audiencehub.sandbox.company.records import Company, Crm, CrmAccount, CrmContact

REAL_START = datetime(2015, 7, 31, 9, 0, tzinfo=UTC)
"""The last day that the Bombora sample covers."""

_IMPORTED = datetime(2015, 7, 1, tzinfo=UTC)


def locate() -> tuple[Path, Path]:
    """(the Bombora sample, the CDNOW purchases). Raises ConfigError saying how to get them.

    The sample lies below the folder that AUDIENCEHUB_REALDATA names; the purchases lie in the
    installed package Lifetimes, which is never imported.
    """
    named = os.environ.get("AUDIENCEHUB_REALDATA", "")
    folder = Path(named or ".")
    places = [folder / "bombora" / "surge_sample.csv", folder / "surge_sample.csv"]
    bombora = next((path for path in places if named and path.is_file()), None)
    if bombora is None:
        raise ConfigError(
            f"No Bombora sample. Searched: {', '.join(map(str, places)) if named else 'nowhere'}.",
            hint="Set AUDIENCEHUB_REALDATA to the folder that has bombora/surge_sample.csv "
            "(github.com/bomboradata/bombora-tutorials)",
        )
    package = find_spec("lifetimes")
    roots = list(package.submodule_search_locations or ()) if package else []
    cdnow = next((Path(root) / "datasets" / "CDNOW_master.txt" for root in roots), None)
    if cdnow is None or not cdnow.is_file():
        raise ConfigError(
            "No CDNOW purchases: the package Lifetimes is not installed.",
            hint="Run: pip install --no-deps Lifetimes==0.11.3",
        )
    return bombora, cdnow


def realdata_company(bombora_csv: Path, cdnow: Path) -> Company:
    """An account per domain of the sample in both CRMs, and a HubSpot contact per CDNOW customer.

    A contact has its customer number as the file writes it (`00001`), an invented address made of
    it, the day of its first purchase as `created_at`, and no account.
    """
    accounts = [*_accounts(bombora_csv, "hubspot"), *_accounts(bombora_csv, "salesforce")]
    return Company(
        name="Real data",
        day=0,
        now=REAL_START,
        accounts=tuple(accounts),
        contacts=tuple(_contacts(cdnow)),
    )


def _accounts(bombora_csv: Path, crm: Crm) -> list[CrmAccount]:
    found: dict[str, CrmAccount] = {}
    with bombora_csv.open(encoding="utf-8", newline="") as lines:
        for name, domain, _, industry, *_, country in csv.reader(lines):
            if domain in found:
                continue
            at = _IMPORTED + timedelta(seconds=len(found))
            found[domain] = CrmAccount(
                crm=crm,
                key=f"a{crm[0]}{len(found) + 1:05d}",
                name=name or domain,
                website=domain,
                industry=_industry(crm, industry),
                employee_count=None,
                annual_revenue=None,
                city=None,
                state=None,
                country=country or None,
                founded_year=None,
                type=None,
                created_at=at,
                modified_at=at,
            )
    return list(found.values())


def _industry(crm: Crm, name: str) -> str | None:
    """HubSpot spells its enumeration in capitals: `FINANCIAL_SERVICES`."""
    if not name:
        return None
    if crm == "salesforce":
        return name.title()
    return "_".join(name.upper().replace("&", " ").split())


def _contacts(cdnow: Path) -> list[CrmContact]:
    first: dict[str, datetime] = {}
    for line in cdnow.read_text("ascii").splitlines():
        number, day, *_ = line.split() or ["", ""]
        if number.isdigit():  # not the heading, not a blank line
            at = datetime(int(day[:4]), int(day[4:6]), int(day[6:8]), tzinfo=UTC)
            first[number] = min(at, first.get(number, at))
    return [
        _contact(number, created, _IMPORTED + timedelta(hours=1, milliseconds=97 * at))
        for at, (number, created) in enumerate(first.items())
    ]


def _contact(number: str, created: datetime, modified: datetime) -> CrmContact:
    return CrmContact(
        crm="hubspot",
        key=f"c{number}",
        person=number,
        kind="contact",
        account=None,
        company_name=None,
        email=f"customer-{number}@cdnow.example",
        phone=None,
        first_name=None,
        last_name=None,
        title=None,
        department=None,
        city=None,
        state=None,
        country=None,
        postal_code=None,
        language=None,
        lifecycle_stage="customer",
        lead_source=None,
        email_opt_out=False,
        created_at=created,
        modified_at=modified,
        external_id=number,
    )
