"""What Meta tells of an audience: its states as they bear on us, and its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiencehub.model import Figures

FIELDS = (
    "name,operation_status,delivery_status,approximate_count_lower_bound,"
    "approximate_count_upper_bound,is_value_based"
)
FLAGGED = 471
READY = 200
_REPLACING, _FAILED = "replace_in_progress", "replace_error"


def code(document: Mapping[str, Any], name: str) -> int | None:
    """The number of a status."""
    found = (document.get(name) or {}).get("code")
    return found if isinstance(found, int) else None


def flagged(document: Mapping[str, Any]) -> bool:
    """Meta takes its name for a hint at health or finances: nothing may be uploaded."""
    return code(document, "operation_status") == FLAGGED


def replacing(document: Mapping[str, Any]) -> bool:
    """A replacement is under way, ours or another's."""
    return _said(document) == _REPLACING


def failed(document: Mapping[str, Any]) -> bool:
    """The last replacement, whosever it was, came to nothing."""
    return _said(document) == _FAILED


def matched(document: Mapping[str, Any]) -> bool:
    """Meta has found enough of its people for adverts, which is what a lookalike takes."""
    size = _size(document)
    return code(document, "delivery_status") == READY and size is not None and size[1] > 0


def figures(document: Mapping[str, Any]) -> Figures:
    """State and size. Meta tells a range, and nothing finer than 0 to 1,000 below that."""
    size = _size(document)
    if flagged(document):
        return Figures("blocked", size, detail="471: flagged for integrity")
    if replacing(document) or size is None:
        return Figures("building", size, detail=_REPLACING if replacing(document) else "")
    if not matched(document):
        return Figures("too_small", size)
    return Figures("ready", size)


def _said(document: Mapping[str, Any]) -> str:
    return str((document.get("operation_status") or {}).get("description") or "")


def _size(document: Mapping[str, Any]) -> tuple[int, int] | None:
    low, high = (document.get(f"approximate_count_{end}_bound") for end in ("lower", "upper"))
    if not isinstance(low, int) or not isinstance(high, int) or not 0 <= low <= high:
        return None
    return low, high
