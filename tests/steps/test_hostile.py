"""Hostile values through the front door: pulled, landed, normalized, resolved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cleaning.nasty import OTHERS, STRINGS

FIELDS = ("first_name", "email", "phone", "country", "state", "created_at", "birth_date", "title")


def whole(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"records": records, "last": True, "full": True}]


def jsonable(value: Any) -> bool:
    """Whether a source could say it at all."""
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


@pytest.mark.parametrize("field", FIELDS)
def test_every_nasty_value_is_kept_or_set_aside_with_a_reason(desk, contact, field):
    """If it fails, a hostile value stops the run, vanishes, or changes without a word."""
    values = {**STRINGS, **{name: one for name, one in OTHERS.items() if jsonable(one)}}
    records = [contact(f"r{n}", **{field: value}) for n, value in enumerate(values.values())]

    desk.run(crm={"contact": whole([*records, contact("well", email="ok@x.example")])})

    kept = dict(desk.rows(f"SELECT source_id, {field} FROM source_contact"))
    aside = {row[0] for row in desk.rows("SELECT source_id FROM uncleaned WHERE reason <> ''")}
    waiting = {one.source_id for one in desk.ledger.quarantine.list()}
    assert kept.keys() | waiting == {*(one["id"] for one in records), "well"}
    for record in records:
        raw = record["values"][field]
        blank = raw is None or (isinstance(raw, str) and not raw.strip())
        lost = kept.get(record["id"]) is None and record["id"] not in aside | waiting
        assert not lost or blank or is_invisible(raw), f"{raw!r} vanished"


def is_invisible(raw: Any) -> bool:
    """Nothing but blanks and marks without width: it cleans to nothing, and that is right."""
    return isinstance(raw, str) and not any(one.isprintable() and one != " " for one in raw)
