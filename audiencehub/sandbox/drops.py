"""Files that others drop for the hub: events and orders of the day, weekly intent, consent."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from audiencehub.sandbox.company import Company
from audiencehub.sandbox.company.loyalty import loyalty
from audiencehub.sandbox.company.records import TopicSurge

LINES = {"events": "events", "email": "email_actions"}
SHEETS = {
    "orders": "orders",
    "lines": "order_lines",
    "subscriptions": "subscriptions",
    "tickets": "tickets",
    "surveys": "survey_answers",
    "consent": "consents",
}
"""Name of the file to the part of the company that is in it."""
CHANGING = {"subscriptions", "tickets"}
"""Parts whose records change; the others only grow."""
MEMBER = ("E-mail", "Tier", "Points", "Last purchase")


def write_drops(folder: Path, company: Company, before: Company | None = None) -> list[Path]:
    """The files that arrive on the company's day; what `before` had is not in them.

    `events-<day>.jsonl` and `email-<day>.jsonl` have an object per line; `orders-`, `lines-`,
    `subscriptions-`, `tickets-`, `surveys-` and `consent-<day>.csv` have a header; keys and columns
    are the fields of the records, instants ISO with offset, UTC. A subscription or ticket that
    changed comes again. `loyalty-<day>.csv` lists the members of the shop's programme whose points
    are new: e-mail, tier, points, date of the last purchase.
    `intent-<Monday>.csv` is a week in Bombora's shape, without a header: company name, domain,
    size, industry, category, topic, composite score, packed metro areas, country.
    A file without rows is not written; one that is there is replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    day = f"{company.now:%Y-%m-%d}"
    old = before or Company(name="", day=0, now=company.now)
    contents: dict[str, bytes] = {}
    for name, part in LINES.items():
        if new := _news(company, old, part):
            made = b"\n".join(orjson.dumps(one) for one in new)
            contents[f"{name}-{day}.jsonl"] = made + b"\n"
    for name, part in SHEETS.items():
        if new := _news(company, old, part):
            contents[f"{name}-{day}.csv"] = _table(type(new[0]), new)
    if members := sorted({*loyalty(company)} - {*loyalty(old)}):
        contents[f"loyalty-{day}.csv"] = _csv([MEMBER, *members])
    for week, rows in groupby(company.surges[len(old.surges) :], key=lambda one: one.week):
        contents[f"intent-{week}.csv"] = _bombora(list(rows))
    for name, content in contents.items():
        half = folder / f".{name}.part"
        half.write_bytes(content)
        half.rename(folder / name)
    return [folder / name for name in contents]


def _news(company: Company, old: Company, part: str) -> Sequence[Any]:
    """What is there and was not, or not so."""
    records, before = getattr(company, part), getattr(old, part)
    if part not in CHANGING:
        return tuple(records[len(before) :])
    known = set(before)
    return [one for one in records if one not in known]


def _table(kind: type[Any], rows: Sequence[Any]) -> bytes:
    names = [field.name for field in fields(kind)]
    return _csv([names, *([_text(getattr(row, name)) for name in names] for row in rows)])


def _bombora(rows: Sequence[TopicSurge]) -> bytes:
    return _csv(
        [
            [
                one.company_name,
                one.domain,
                one.size,
                one.industry,
                one.category,
                one.topic,
                str(one.score),
                f"[{one.score}]",
                one.country,
            ]
            for one in rows
        ]
    )


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
