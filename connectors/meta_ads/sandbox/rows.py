"""Uploaded rows: the payload's shapes, what makes a row invalid, sessions."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.meta_ads.sandbox.graph import GraphError, structure

MOST_ROWS = 10_000
MOST_SAMPLES = 100
SESSION = timedelta(minutes=90)
SINGLE = {"EMAIL_SHA256": "EMAIL", "PHONE_SHA256": "PHONE", "MOBILE_ADVERTISER_ID": "MADID"}
HASHED = frozenset(
    {
        "EMAIL",
        "PHONE",
        "FN",
        "LN",
        "FI",
        "CT",
        "ST",
        "ZIP",
        "COUNTRY",
        "GEN",
        "DOBY",
        "DOBM",
        "DOBD",
    }
)
PLAIN = frozenset({"EXTERN_ID", "MADID", "UID", "APPUID", "PAGEUID"})
OPTIONS = "DATA_PROCESSING_OPTIONS"
PLACES = ("DATA_PROCESSING_OPTIONS_COUNTRY", "DATA_PROCESSING_OPTIONS_STATE")
WORTH = "LOOKALIKE_VALUE"
BESIDE = frozenset({OPTIONS, *PLACES, WORTH})
"""Columns that name nobody."""
_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass
class Payload:
    """What one request brought: rows as `{column: value}` without blanks, and the bad ones."""

    columns: list[str]
    good: list[dict[str, str]] = field(default_factory=list)
    invalid: int = 0
    samples: dict[str, str] = field(default_factory=dict)
    """Row as JSON text to the reason, at most a hundred."""

    @property
    def received(self) -> int:
        """Rows of either kind."""
        return len(self.good) + self.invalid


def payload(params: dict[str, Any]) -> Payload:
    """Read and check `payload`; only its shape is an error, a bad row is counted."""
    document = structure(params, "payload")
    if not isinstance(document, dict):
        raise GraphError(100, "The parameter payload is required")
    schema, data = document.get("schema"), document.get("data")
    single = isinstance(schema, str)
    names = [schema] if single else schema
    if not isinstance(names, list) or not names or not isinstance(data, list):
        raise GraphError(100, "Invalid parameter: schema and data are required")
    columns = [SINGLE.get(str(name), str(name)) for name in names]
    if len(set(columns)) < len(columns) or not set(columns) <= HASHED | PLAIN | BESIDE:
        raise GraphError(100, "Invalid schema")
    if not data:
        raise GraphError(100, "Invalid parameter: data is empty")
    if len(data) > MOST_ROWS:
        raise GraphError(1, "An unknown error occurred", 99, status=500)
    found = Payload(columns)
    for entry in data:
        _take(found, [entry] if single and not isinstance(entry, list) else entry)
    return found


def _take(found: Payload, row: Any) -> None:
    if not isinstance(row, list) or len(row) != len(found.columns):
        raise GraphError(100, "Number of columns in data does not match the schema")
    values = [_text(value) for value in row]
    why = _invalid(dict(zip(found.columns, values, strict=True)))
    if why is None:
        pairs = zip(found.columns, values, strict=True)
        found.good.append({name: value for name, value in pairs if value})
        return
    found.invalid += 1
    if len(found.samples) < MOST_SAMPLES:
        found.samples[json.dumps(values, separators=(",", ":"))] = why


def _invalid(row: dict[str, str]) -> str | None:
    if row.get("EXTERN_ID") == "":
        return "empty external ID"
    if not any(identity(row).values()):
        return "empty row"
    if not _options_fit(row):
        return "invalid data processing options"
    return next(filter(None, (_wrong(*cell) for cell in row.items())), None)


def _wrong(name: str, value: str) -> str | None:
    if not value:
        return None
    if name in HASHED and (not re.fullmatch(r"[0-9a-f]{64}", value) or value == _NOTHING):
        return f"invalid hash in {name}"
    if name == WORTH and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return "invalid lookalike value"
    if name == "MADID" and re.fullmatch(r"[0-9a-f]{64}|.*\s.*", value):
        return "invalid mobile advertiser id"
    return None


def _text(value: Any) -> str:
    if isinstance(value, list):
        return json.dumps(value)
    return "" if value is None else str(value)


def _options_fit(row: dict[str, str]) -> bool:
    """`["LDU"]` takes a country and a state, where 0 lets Meta find out; `[]` takes neither."""
    said, places = row.get(OPTIONS), [row.get(name, "") for name in PLACES]
    if said is None:
        return not any(places)
    if said == "[]":
        return True
    return said == '["LDU"]' and all(place.isdecimal() for place in places)


def identity(row: dict[str, str]) -> dict[str, str]:
    """What of a row says whose it is."""
    return {name: value for name, value in row.items() if name not in BESIDE}


def key(row: dict[str, str]) -> str:
    """Rows of one key are one member; removing asks for nothing else."""
    return json.dumps(identity(row), sort_keys=True, separators=(",", ":"))


def worth(found: Payload, op: str, *, taken: bool) -> None:
    """An audience made for values needs them in every addition, and no other takes any."""
    if taken and op == "add" and WORTH not in found.columns:
        raise GraphError(100, "The schema requires LOOKALIKE_VALUE")
    if not taken and WORTH in found.columns:
        raise GraphError(100, "Invalid schema: the audience is not value based")


def session_of(params: dict[str, Any]) -> tuple[int, int, bool] | None:
    """(session id, batch number, last batch), or None when the request has no session."""
    document = structure(params, "session")
    if document is None:
        return None
    if not isinstance(document, dict):
        raise GraphError(100, "Param session must be an object")
    number, batch = _integer(document, "session_id"), _integer(document, "batch_seq")
    if not 0 < number < 2**63:
        raise GraphError(100, "session_id must be a positive 64-bit integer")
    if batch < 1:
        raise GraphError(100, "batch_seq starts from 1")
    return number, batch, document.get("last_batch_flag") in (True, "true", 1, "1")


def _integer(document: dict[str, Any], name: str) -> int:
    try:
        return int(document[name])
    except (KeyError, TypeError, ValueError):
        raise GraphError(100, f"Param session[{name}] is required") from None


def continued(
    known: dict[str, Any] | None, batch: int, what: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """The session this batch belongs to, new or known. `what` must not change within it.

    Sending a batch again is allowed and counted again; skipping one is not.
    """
    if known is None:
        if batch != 1:
            raise GraphError(100, "Session has no batch_seq 1")
        return {
            **what,
            "opened": now.isoformat(),
            "batch": 0,
            "received": 0,
            "invalid": 0,
            "open": True,
        }
    if {name: known[name] for name in what} != what:
        raise GraphError(100, "Schema, audience and operation must not change within a session")
    if batch > known["batch"] + 1:
        raise GraphError(100, "batch_seq has a gap")
    return known


def overdue(known: dict[str, Any], now: datetime) -> bool:
    """The session was closed by itself, 90 minutes after its first batch."""
    return now - datetime.fromisoformat(known["opened"]) > SESSION
