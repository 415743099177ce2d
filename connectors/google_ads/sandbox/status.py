"""What the fake tells of a request: nothing for half an hour, then counts by reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connectors.google_ads.sandbox.members import KEPT, PROCESSING
from connectors.google_ads.sandbox.replies import GoogleError, Violation

if TYPE_CHECKING:
    from connectors.google_ads.sandbox.app import GoogleSandbox

SUCCESS, WORKING, FAILED, PARTIAL = 1, 2, 3, 4
FEWEST = 100
"""Rows below which the fake tells no match rate, as NOT_ELIGIBLE."""


def retrieve(fake: GoogleSandbox, number: str) -> Any:
    """The status of a request, for each of its destinations."""
    from google.ads import datamanager_v1 as dm

    found = fake.store.table("request").get(number)
    if found is None:
        raise _unknown("INVALID_REQUEST_ID")
    age = fake.clock.now() - datetime.fromtimestamp(found["at"], UTC)
    if age > KEPT:
        raise _unknown("REQUEST_TOO_OLD")
    answer = dm.RetrieveRequestStatusResponse.pb()()
    for there in found["destinations"]:
        one = answer.request_status_per_destination.add()
        one.destination.ParseFromString(bytes.fromhex(there))
        if age < PROCESSING:
            one.request_status = WORKING
            continue
        bad = sum(found["errors"].values())
        worked = PARTIAL if 0 < bad < found["rows"] else FAILED if bad else SUCCESS
        one.request_status = worked
        for reason, count in sorted(found["errors"].items()):
            one.error_info.error_counts.add(record_count=count, reason=int(reason))
        _counts(one, found)
    return answer


def _counts(one: Any, found: dict[str, Any]) -> None:
    if found["op"] == "remove_all":
        one.remove_all_audience_members_status.SetInParent()
        return
    adds = found["op"] == "ingest"
    whole = one.audience_members_ingestion_status if adds else one.audience_members_removal_status
    status = getattr(whole, f"{found['kind']}_{'ingestion' if adds else 'removal'}_status")
    status.record_count = found["rows"]
    if found["kind"] == "composite_data":
        for kind, count in sorted(found["types"].items()):
            status.data_type_counts.add(type_=int(kind), count=count)
    if adds and found["kind"] in ("composite_data", "user_data"):
        status.upload_match_rate_range = _range(found)


def _range(found: dict[str, Any]) -> int:
    percent = found["match"]
    if found["rows"] < FEWEST:
        return 1
    if percent < 20:
        return 2
    return 3 if percent <= 30 else min(10, 4 + (percent - 31) // 10)


def _unknown(reason: str) -> GoogleError:
    return GoogleError(400, violations=[Violation("request_id", reason)])
