"""A person whose every value is like nobody else's, in every source; and the search for them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from tests.e2e import fakes, people
from tests.e2e.project import Project

EMAIL, OTHER = "Zyrphane.Quillmotte@qxcanary.example", "zq.private@vltcanary.example"
PHONE = "+1 415-837-2946"
VALUES = {
    "email": EMAIL,
    "other_email": OTHER,
    "phone": PHONE,
    "first_name": "Zyrphane",
    "last_name": "Quillmotte",
    "title": "Grand Tidewright",
    "city": "Ostrelheim",
    "number": "CUSTZQ80417",
    "path": "/pricing/zqx-secret-path",
    "feature": "zqxfeature",
    "campaign": "Zqx Harvest",
    "ticket": "Zqx kettle leaks at night",
    "answer": "Zqx would rather walk",
    "coupon": "ZQXCOUPON9",
    "product": "Zqx Lantern",
    "link": "https://shop.example/zqx-click",
    "call": "Zqx wants a call on Friday",
}
"""What the person is, says and does, in the words of the sources."""


@dataclass(frozen=True)
class Canary:
    """The person, as the vendors know them."""

    contact: str
    """HubSpot's id."""
    deal: str
    person: str
    """Salesforce's id."""
    values: Mapping[str, str] = field(default_factory=lambda: dict(VALUES))

    def spellings(self) -> set[str]:
        """Every value, in lower case, in normal forms, and hashed without a key."""
        found = {self.person}
        for value in self.values.values():
            found |= {value, value.lower(), value.replace("@", "%40"), json.dumps(value)[1:-1]}
        digits = "".join(c for c in PHONE if c.isdigit())
        found |= {f"+{digits}", digits}
        named = {EMAIL, OTHER, PHONE, f"+{digits}", digits}
        named |= {one.lower() for one in named}
        for one in named:
            found |= {
                hashlib.sha256(one.encode()).hexdigest(),
                hashlib.md5(one.encode()).hexdigest(),
            }
        return found


def plant(project: Project, urls: Mapping[str, str]) -> Canary:
    """The person at every vendor and in every delivered file."""
    make = lambda where, **what: people._call("POST", where, **what)  # noqa: E731
    hubspot = f"{urls['hubspot']}/crm/v3/objects"
    contact = make(
        f"{hubspot}/contacts",
        headers=people.HUBSPOT,
        json={
            "properties": {
                "email": EMAIL, "phone": PHONE, "firstname": VALUES["first_name"],
                "lastname": VALUES["last_name"], "jobtitle": VALUES["title"],
                "city": VALUES["city"], "customer_number": VALUES["number"], "country": "US",
            }
        },
    )["id"]  # fmt: skip
    call = make(
        f"{hubspot}/calls",
        headers=people.HUBSPOT,
        json={
            "properties": {
                "hs_timestamp": "2026-11-10T09:00:00Z",
                "hs_call_title": VALUES["call"],
                "hs_call_status": "COMPLETED",
            }
        },
    )["id"]
    deal = make(
        f"{hubspot}/deals",
        headers=people.HUBSPOT,
        json={"properties": {"dealname": "Lighthouse renewal", "amount": "7100"}},
    )["id"]
    link = f"{urls['hubspot']}/crm/v4/associations"
    for kind, one in (("calls", call), ("deals", deal)):
        make(
            f"{link}/{kind}/contacts/batch/create",
            headers=people.HUBSPOT,
            json={"inputs": [{"from": {"id": one}, "to": {"id": contact}, "types": []}]},
        )
    salesforce = f"{urls['salesforce']}/services/data/v62.0/sobjects"
    person = make(
        f"{salesforce}/Contact",
        headers=people.SALESFORCE,
        json={"FirstName": VALUES["first_name"], "LastName": VALUES["last_name"],
              "Email": OTHER, "Customer_Number__c": VALUES["number"], "Title": VALUES["title"]},
    )["id"]  # fmt: skip
    make(
        f"{salesforce}/Task",
        headers=people.SALESFORCE,
        json={"WhoId": person, "Subject": VALUES["call"], "ActivityDate": "2026-11-09"},
    )
    deliver(project)
    return Canary(contact, deal, person)


def deliver(project: Project, day: str = "2026-11-15") -> None:
    """Everything that the person did and said, as files of that day."""
    at = "2026-11-14T10:00:00+00:00"
    events = [
        {"key": f"zq-e{n}-{day}", "email": EMAIL if n % 2 else OTHER, "name": "page_view", "at": at,
         "path": VALUES["path"], "feature": VALUES["feature"], "campaign": VALUES["campaign"]}
        for n in range(4)
    ]  # fmt: skip
    mail = [{"key": f"zq-m-{day}", "email": EMAIL, "campaign": VALUES["campaign"],
             "action": "click", "at": at, "link": VALUES["link"]}]  # fmt: skip
    drops = project.folder / "sandbox" / "drops"
    for name, rows in (("events", events), ("email", mail)):
        text = "".join(json.dumps(one) + "\n" for one in rows)
        (drops / f"{name}-zz-{day}.jsonl").write_text(text, "utf-8")
    old = "2024-05-02T10:00:00+00:00"
    sheets: dict[str, dict[str, str]] = {
        "orders": {"key": f"zq-o-{day}", "email": EMAIL, "at": old, "total": "41.25",
                   "currency": "USD", "quantity": "1", "status": "paid",
                   "coupon": VALUES["coupon"]},
        "lines": {"key": f"zq-l-{day}", "email": EMAIL, "order": f"zq-o-{day}", "at": old,
                  "sku": "zq-1", "name": VALUES["product"], "quantity": "1", "price": "41.25",
                  "currency": "USD"},
        "tickets": {"key": f"zq-t-{day}", "email": EMAIL, "subject": VALUES["ticket"],
                    "category": "how_to", "status": "open", "priority": "low", "channel": "email",
                    "created_at": at, "updated_at": at, "solved_at": "",
                    "first_reply_minutes": "", "csat": ""},
        "surveys": {"response": f"zq-s-{day}", "email": EMAIL, "survey": "values", "question": "q1",
                    "type": "text", "kind": "attitude", "score": "", "score_max": "", "choice": "",
                    "text": VALUES["answer"], "at": at},
        "subscriptions": {"key": f"zq-b-{day}", "email": EMAIL, "company_domain": "",
                          "plan": "team", "status": "active", "mrr": "10",
                          "currency": "USD", "interval": "month",
                          "seats": "1", "started_at": at, "trial_end": "", "renews_at": "",
                          "cancel_at": "", "canceled_at": "", "updated_at": at},
        "consent": {"email": EMAIL, "purpose": "advertising", "channel": "ads",
                    "status": "granted", "at": at},
        "loyalty": {"E-mail": EMAIL, "Tier": "Gold", "Points": "77", "Last purchase": "2024-05-02"},
    }  # fmt: skip
    for name, row in sheets.items():
        with (drops / f"{name}-zz-{day}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerow(row)


def own_files(project: Project) -> Iterator[Path]:
    """Every file of ours: all but the state of the fakes, which stand for the vendors."""
    for path in sorted((project.root / ".audiencehub").rglob("*")):
        if path.is_file() and project.folder / "sandbox" not in path.parents:
            yield path


def residue(project: Project, values: Iterable[str]) -> dict[str, list[str]]:
    """File to the values that its bytes hold, in any case of letters: packed files unpacked,
    databases also value by value, for engines pack text."""
    wanted = {one.lower().encode(): one for one in values}
    found: dict[str, list[str]] = {}
    for path in own_files(project):
        raw = path.read_bytes()
        texts = [gzip.decompress(raw) if path.suffix == ".gz" else raw]
        if path.suffix == ".duckdb":
            texts.append(_tables(path))
        elif path.suffix in (".sqlite", ".db"):
            texts.append(_dump(path))
        held = b"\n".join([*texts, path.name.encode()]).lower()
        hits = sorted(one for needle, one in wanted.items() if needle in held)
        if hits:
            found[path.relative_to(project.root).as_posix()] = hits
    return found


def _tables(path: Path) -> bytes:
    connection = duckdb.connect(str(path), read_only=True)
    names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    rows = [repr(connection.execute(f'FROM "{name}"').fetchall()) for (name,) in names]
    connection.close()
    return "\n".join(rows).encode("utf-8", "replace")


def _dump(path: Path) -> bytes:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type='table'").fetchall()
    rows = [repr(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in names]
    connection.close()
    return "\n".join(rows).encode("utf-8", "replace")


def tags(project: Project, canary: Canary) -> list[str]:
    """Tags of ours that the CRMs hold for the person."""
    records = fakes.state(project).segments()
    mine = (("hubspot", "contacts", canary.contact), ("salesforce", "Contact", canary.person))
    return sorted(tag for one in mine for tag in records.get(one, ()))


def digests() -> set[str]:
    """How ad platforms are told of the person."""
    return {hashlib.sha256(one.lower().encode()).hexdigest() for one in (EMAIL, OTHER)}


def edit(urls: Mapping[str, str], canary: Canary) -> None:
    """The person's records change at both CRMs, so that pulls of changes have them again."""
    people.edit(urls, "contacts", canary.contact, jobtitle=f"{VALUES['title']} II")
    title = f"{VALUES['title']} III"
    people.edit_salesforce(urls, "Contact", canary.person, Title=title)


def listed(project: Project) -> list[str]:
    """Ad audiences that hold the person."""
    hashed = digests()
    return sorted(
        name
        for name, rows in fakes.state(project).lists.items()
        if any(digest in row for row in rows for digest in hashed)
    )
