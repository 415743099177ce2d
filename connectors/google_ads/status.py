"""What Google tells of a request once it has worked on it: counts by reason, never rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from audiencehub.errors import Wait
from audiencehub.model import Processed

State = Literal["running", "done", "partly", "failed"]
STATES: Mapping[int, State] = {0: "running", 1: "done", 2: "running", 3: "failed", 4: "partly"}
"""RequestStatus: UNKNOWN, SUCCESS, PROCESSING, FAILED, PARTIAL_SUCCESS."""
MATCH: Mapping[int, tuple[float, float]] = {
    2: (0.0, 0.2),
    3: (0.2, 0.31),
    **{n: (round(0.31 + 0.1 * (n - 4), 2), round(0.41 + 0.1 * (n - 4), 2)) for n in range(4, 10)},
    10: (0.91, 1.0),
}
"""MatchRateRange: the intervals of its reference, LESS_THAN_20 to 91_TO_100."""
_REASON = re.compile(r"PROCESSING_ERROR_(?:REASON_)?([A-Z0-9_]{1,80})")


def processed(answer: Any, known: str) -> Processed:
    """The outcome for this list in a RetrieveRequestStatusResponse. Raises Wait when it holds
    none."""
    for one in answer.request_status_per_destination:
        if one.destination.product_destination_id in ("", known):
            return _outcome(one)
    raise Wait("Google tells nothing of this list's request.", hint="Run again later")


def _outcome(one: Any) -> Processed:
    taken = one.audience_members_ingestion_status.composite_data_ingestion_status
    removed = one.audience_members_removal_status.composite_data_removal_status
    rejected: dict[str, int] = {}
    for count in one.error_info.error_counts:
        reason = _word(count.reason)
        rejected[reason] = rejected.get(reason, 0) + int(count.record_count)
    return Processed(
        STATES.get(int(one.request_status), "running"),
        rows=int(taken.record_count or removed.record_count) or None,
        rejected=rejected,
        match=MATCH.get(int(taken.upload_match_rate_range)),
    )


def _word(reason: Any) -> str:
    found = _REASON.fullmatch(str(getattr(reason, "name", "")))
    return found[1].lower() if found else f"reason_{int(reason)}"
