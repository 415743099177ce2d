"""Canaries that must be read nowhere but in the stores, and the search for them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.e2e import fakes, people
from tests.e2e.project import Project

PEOPLE, FIELDS = 25, ("email", "phone", "firstname", "lastname", "jobtitle", "city")
DEEDS = {"path": 20, "subject": 15, "text": 15}
SECRETS = (
    "HUBSPOT_TOKEN", "HUBSPOT_WRONG", "HUBSPOT_CLIENT", "HUBSPOT_SECRET", "HUBSPOT_REFRESH",
    "SALESFORCE_SESSION", "SALESFORCE_KEY", "SALESFORCE_SECRET", "META_TOKEN", "META_SECRET",
    "BUILTWITH_TOKEN", "HOOK_URL", "HOOK_KEY", "SLACK_URL", "IN_BODY", "IN_HEADER", "IN_COOKIE",
    "IN_LOCATION", "IN_PAGE", "IN_PROXY",
)  # fmt: skip
"""By where each stands: in the environment that settings refer to, or in what a vendor answers."""
STORES = ("landing", "published", "sandbox", "hub.duckdb", "install.key")
TOLD = {
    "run": None, "quarantine": ("code", "message"), "audit": None, "alert": None,
    "alert_message": None, "plan": None, "reply": None, "intent": ("proof", "reason"),
    "quota": None, "meta": None,
}  # fmt: skip
"""Tables of the ledger that tell what happened; the others hold what is known of people."""


def personal() -> dict[str, str]:
    """200 values of people by name: each is like nothing else."""
    found = {f"{name}{n}": _made(f"{name}{n}") for n in range(PEOPLE) for name in FIELDS}
    for n in range(PEOPLE):
        found[f"email{n}"] = f"{_made(f'mail{n}')}@qxcanary.example"
        found[f"phone{n}"] = f"+1415{5_550_000 + 37 * n}"
    for name, count in DEEDS.items():
        found |= {f"{name}{n}": _made(f"deed-{name}{n}") for n in range(count)}
    assert len(set(found.values())) == 200
    return found


def secrets() -> dict[str, str]:
    """20 secrets by name; HubSpot's fake takes every token of its shape."""
    found = {name: _made(f"secret {name}") for name in SECRETS}
    for name in ("HUBSPOT_TOKEN", "HUBSPOT_CLIENT"):
        found[name] = f"pat-{found[name]}"
    assert len(set(found.values())) == 20
    return found


def _made(name: str) -> str:
    return f"Cnry{hashlib.sha256(name.encode()).hexdigest()[:14]}"


SETTINGS = """
[sources.hubspot.options]
token = { env = "HUBSPOT_TOKEN" }

[sources.builtwith.options]
token = { env = "BUILTWITH_TOKEN" }

[alerts.webhook]
url = { env = "HOOK_URL" }
key = { env = "HOOK_KEY" }

[alerts.slack]
url = { env = "SLACK_URL" }
"""


def environment() -> dict[str, str]:
    """The shell of a run: credentials, and hooks that nobody answers."""
    found = secrets()
    return {
        **found,
        "HOOK_URL": f"http://127.0.0.1:9/hooks/{found['HOOK_URL']}",
        "SLACK_URL": f"http://127.0.0.1:9/services/{found['SLACK_URL']}",
        "HTTPS_PROXY": f"http://hub:{found['IN_PROXY']}@127.0.0.1:9",
    }


def plant(project: Project, urls: Mapping[str, str]) -> None:
    """200 values, in HubSpot's contacts and in delivered files."""
    values, at = personal(), "2026-11-14T10:00:00+00:00"
    keys = sorted(fakes.records(project, "hubspot", "contacts"))[:PEOPLE]
    inputs = [
        {"id": key, "properties": {name: values[f"{name}{n}"] for name in FIELDS}}
        for n, key in enumerate(keys)
    ]
    people._call(
        "POST",
        f"{urls['hubspot']}/crm/v3/objects/contacts/batch/update",
        headers=people.HUBSPOT,
        json={"inputs": inputs},
    )
    drops = project.folder / "sandbox" / "drops"
    emails = [values[f"email{n}"] for n in range(PEOPLE)]
    events = [
        f'{{"key": "cn-e{n}", "email": "{emails[n]}", "name": "page_view", "at": "{at}",'
        f' "path": "/pricing/{values[f"path{n}"]}"}}\n'
        for n in range(DEEDS["path"])
    ]
    (drops / "events-zz-2026-11-15.jsonl").write_text("".join(events), "utf-8")
    head = ("key", "email", "subject", "category", "status", "priority", "channel", "created_at",
            "solved_at", "first_reply_minutes", "csat", "updated_at")  # fmt: skip
    rows: list[tuple[str, ...]] = [
        (f"cn-t{n}", emails[n], values[f"subject{n}"], "how_to", "open", "low", "email", at, "", "",
         "", at)
        for n in range(DEEDS["subject"])
    ]  # fmt: skip
    _sheet(drops / "tickets-zz-2026-11-15.csv", head, rows)
    head = ("response", "email", "survey", "question", "type", "kind", "score", "score_max",
            "choice", "text", "at")  # fmt: skip
    rows = [
        (f"cn-s{n}", emails[n], "values", "q1", "text", "attitude", "", "", "", values[f"text{n}"],
         at)
        for n in range(DEEDS["text"])
    ]  # fmt: skip
    _sheet(drops / "surveys-zz-2026-11-15.csv", head, rows)
    said = [(one, "advertising", "ads", "granted", at) for one in emails]
    _sheet(
        drops / "consent-zz-2026-11-15.csv", ("email", "purpose", "channel", "status", "at"), said
    )


def poison(project: Project) -> None:
    """Lines that cannot be read, each with somebody's values in it."""
    values = personal()
    drops = project.folder / "sandbox" / "drops"
    whole = [
        {"key": "cn-b1", "email": [values["email1"]], "name": {"a": values["path1"]}},
        {"key": "cn-b2", "email": values["email2"], "name": "page_view", "at": "tomorrow"},
    ]
    bad = [json.dumps(one) + "\n" for one in whole]
    bad.append(f'{{"key": "cn-b3", "email": "{values["email3"]}", \n')
    bad.append(f"not json at all {values['lastname4']} {values['phone4']}\n")
    (drops / "events-yy-2026-11-15.jsonl").write_text("".join(bad), "utf-8")
    head = ("email", "purpose", "channel", "status", "at")
    rows = [
        (values["lastname5"], "advertising", "ads", "granted", values["city5"]),
        (values["email6"], values["city6"], values["jobtitle6"], "maybe", "2026-13-45"),
    ]
    _sheet(drops / "consent-yy-2026-11-15.csv", head, rows)


def _sheet(path: Path, head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    path.write_text(text.getvalue(), "utf-8")


class Search:
    """Where any of some values can be read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.names = {value.lower(): name for name, value in values.items()}
        forms = {form: name for value, name in self.names.items() for form in _forms(value)}
        self.forms = forms
        self.pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))

    def text(self, text: str) -> set[str]:
        """Names of the canaries in a text."""
        # Tables fold long words: what a line break parts is one word.
        flat = re.sub(r"[│┃]?\s*\n\s*[│┃]?\s*", "", text)
        return {
            self.forms[hit] for one in (text, flat) for hit in self.pattern.findall(one.lower())
        }

    def files(self, project: Project, *, stores: bool) -> dict[str, set[str]]:
        """File to canaries, of all that tells what happened; with `stores` of all but the fakes."""
        found = {}
        for path, text in _texts(project, stores=stores):
            hits = self.text(text)
            if hits:
                found[path.relative_to(project.root).as_posix()] = hits
        return found


def _forms(value: str) -> set[str]:
    return {value, value.replace("@", "%40"), value.lstrip("+")}


def _texts(project: Project, *, stores: bool) -> Iterator[tuple[Path, str]]:
    for path in sorted((project.root / ".audiencehub").rglob("*")):
        inside = path.relative_to(project.folder).parts if project.folder in path.parents else ()
        kept = bool(inside) and inside[0] in STORES and path.name != "sandbox.log"
        if not path.is_file() or (kept and (not stores or inside[0] == "sandbox")):
            continue
        if path.name.startswith("ledger.sqlite") and not stores:
            if path.name == "ledger.sqlite":
                yield path, _told(path)
            continue
        raw = path.read_bytes()
        yield (
            path,
            (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace"),
        )


def _told(ledger: Path) -> str:
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    rows = []
    for name, columns in TOLD.items():
        wanted = ", ".join(columns) if columns else "*"
        rows += [repr(row) for row in connection.execute(f"SELECT {wanted} FROM {name}").fetchall()]
    connection.close()
    return "\n".join(rows)
