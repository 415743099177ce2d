"""Files that others drop for the hub: events and orders of the day, weekly intent, consent."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from audiencehub.sandbox.company import Company
from audiencehub.sandbox.company.records import ConsentEntry, ShopOrder, TopicSurge


def write_drops(folder: Path, company: Company, before: Company | None = None) -> list[Path]:
    """The files that arrive on the company's day; what `before` had is not in them.

    `events-<day>.jsonl` has an object per line, `orders-<day>.csv` and `consent-<day>.csv` have
    a header; keys and columns are the fields of the records, instants ISO with offset, UTC.
    `intent-<Monday>.csv` is a week in Bombora's shape, without a header: company name, domain,
    size, industry, category, topic, composite score, packed metro areas, country.
    A file without rows is not written; one that is there is replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    day = f"{company.now:%Y-%m-%d}"
    old = before or Company(name="", day=0, now=company.now)
    contents: dict[str, bytes] = {}
    if events := company.events[len(old.events) :]:
        lines = (orjson.dumps(asdict(one)) for one in events)
        contents[f"events-{day}.jsonl"] = b"\n".join(lines) + b"\n"
    if orders := company.orders[len(old.orders) :]:
        contents[f"orders-{day}.csv"] = _table(ShopOrder, orders)
    if consents := company.consents[len(old.consents) :]:
        contents[f"consent-{day}.csv"] = _table(ConsentEntry, consents)
    for week, rows in groupby(company.surges[len(old.surges) :], key=lambda one: one.week):
        contents[f"intent-{week}.csv"] = _bombora(list(rows))
    for name, content in contents.items():
        half = folder / f".{name}.part"
        half.write_bytes(content)
        half.rename(folder / name)
    return [folder / name for name in contents]


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
