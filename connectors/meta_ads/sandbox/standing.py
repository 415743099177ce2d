"""How the fake's audiences stand: replacements under way, sizes, states."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.meta_ads.sandbox.app import MetaSandbox

NORMAL = {"code": 200, "description": "Normal"}
FLAGGED = {"code": 471, "description": "Flagged for integrity"}
IN_PROGRESS = {"code": 414, "description": "replace_in_progress"}
FAILED = {"code": 415, "description": "replace_error"}
READY = {"code": 200, "description": "This audience is ready for use."}
SMALL = {"code": 300, "description": "This audience is too small."}
SESSION = timedelta(minutes=90)
BUILDING = timedelta(hours=6)
ENOUGH = 100
Document = dict[str, Any]


def settled(fake: MetaSandbox, audience: Document) -> Document:
    """The audience as it stands now: a replacement that nobody ended within 90 minutes failed."""
    running = audience.get("replacing")
    if running is None:
        return audience
    key = session_key(audience, running)
    table = fake.store.table("replacement")
    if fake.clock.now() - datetime.fromisoformat(table[key]["opened"]) <= SESSION:
        return audience
    table[key] = {**table[key], "state": "late"}
    changed = {**audience, "replacing": None, "operation_status": FAILED}
    fake.store.table("audience")[audience["id"]] = changed
    return changed


def session_key(audience: Document, number: int) -> str:
    """Session ids are unique per ad account."""
    return f"{audience['account_id']}:{number}"


def operation(fake: MetaSandbox, audience: Document) -> Document:
    """`operation_status`; a finished replacement is worked on for a while, where options say so."""
    busy = audience.get("busy_until")
    working = busy is not None and fake.clock.now() < datetime.fromisoformat(busy)
    if audience.get("replacing") is not None or working:
        return IN_PROGRESS
    found: Document = audience["operation_status"]
    return found


def shown(fake: MetaSandbox, audience: Document) -> Document:
    """The audience with what Meta computes: sizes as ranges, states."""
    audience = settled(fake, audience)
    count = _count(fake, audience)
    low, high = _range(count)
    hidden = ("replacing", "busy_until", "lag", "made")
    return {
        **{name: value for name, value in audience.items() if name not in hidden},
        "operation_status": operation(fake, audience),
        "approximate_count_lower_bound": low,
        "approximate_count_upper_bound": high,
        "delivery_status": READY if count >= ENOUGH else SMALL,
    }


def _count(fake: MetaSandbox, audience: Document) -> int:
    if audience["subtype"] == "CUSTOM":
        return len(fake.store.table(f"member:{audience['id']}"))
    ready = datetime.fromisoformat(audience["made"]) + BUILDING
    return 1_000_000 if fake.clock.now() >= ready else 0


def _range(size: int) -> tuple[int, int]:
    """Meta tells ranges, never counts: -1 before anything matched, nothing finer below 1,000."""
    if size == 0:
        return -1, -1
    if size < 1000:
        return 0, 1000
    step = 10 ** (len(str(size)) - 2)
    return size // step * step, (size // step + 1) * step
