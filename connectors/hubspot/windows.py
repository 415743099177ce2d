"""What changed in a span of time, past the search's wall of 10,000 rows a query."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.hubspot.api import Api, impossible, next_after
from connectors.hubspot.reading import BARREN, Record, checked

LIMIT = 200
WALL = 10_000
RESTARTS = 50
"""Times that rows may slip away under the paging before the pull is given up."""

Batch = tuple[list[Record], int]
"""Records, and the millisecond up to which (exclusive) everything has been given."""


def modified_property(kind: str) -> str:
    """The property that dates a change: contacts have one of their own."""
    return "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"


def millis(text: Any) -> int:
    """Milliseconds since 1970 of HubSpot's ISO instant, or of digits."""
    if str(text).isdigit():
        return int(text)
    at = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def changed(
    api: Api,
    kind: str,
    properties: Sequence[str],
    since: int,
    until: int,
    needed: Sequence[str] = (),
) -> Iterator[Batch]:
    """Live records modified in [since, until] (milliseconds), oldest change first; each names the
    properties that are `needed`.

    Records of one millisecond come together, so that a cursor between batches loses none.
    """
    # The index answers a query from the epoch itself with a server error.
    low: int | None = max(since, 1000)
    restarts = 0
    while low is not None and low <= until:
        begun = low
        low = yield from _Window(api, kind, properties, until, needed).read(low)
        restarts = restarts + 1 if low == begun else 0
        if restarts > RESTARTS:
            raise impossible(f"search of {kind}", "shrinks faster than it can be read")


class _Window:
    """One query [low, until], read as far as the wall allows."""

    def __init__(
        self, api: Api, kind: str, properties: Sequence[str], until: int, needed: Sequence[str]
    ) -> None:
        self.api, self.kind, self.until = api, kind, until
        self.stamp = modified_property(kind)
        self.properties = [*dict.fromkeys([*properties, self.stamp])]
        self.needed = (*needed, self.stamp)

    def read(self, low: int) -> Generator[Batch, None, int | None]:
        """Batches; returns where the next query begins, None when all is read."""
        held: list[Record] = []
        after, known, raw, top = "0", None, 0, low
        ids: set[str] = set()
        barren = 0
        while True:
            found = self._ask(self._between(low), self.stamp, after)
            if known is not None and found["total"] < known:
                # A row left the window (it was changed again), so that another has slipped over
                # the edge of the page: read again from the last instant that is not yet given.
                return top
            known, raw = found["total"], raw + len(found["results"])
            ids.update(row["id"] for row in found["results"])
            barren = 0 if found["results"] else barren + 1
            rows = held + self._inside(found["results"], low)
            top = max([top, *(self._at(row) for row in rows)])
            then = next_after(found, self.kind)
            if then is None:
                if raw < found["total"]:
                    raise impossible(f"search of {self.kind}", "ends before its own total")
                # Where a row came twice, another did not come: all of it once more.
                whole = len(ids) >= found["total"]
                yield rows, self.until + 1 if whole else low
                return None if whole else low
            onward = then.isdecimal() and int(then) > int(after)
            if not onward or raw > known + LIMIT or barren > BARREN:
                raise impossible(f"search of {self.kind}", "repeats a cursor, or goes on for ever")
            yield [row for row in rows if self._at(row) < top], top
            held = [row for row in rows if self._at(row) == top]
            if int(then) + LIMIT > WALL:
                return (yield from self._over_the_wall(low, top))
            after = then

    def _over_the_wall(self, low: int, top: int) -> Generator[Batch, None, int]:
        """Go on at the last millisecond seen; drain it by id when it alone fills the query."""
        if top > low:
            return top
        same = {"propertyName": self.stamp, "operator": "EQ", "value": str(low)}
        last: str | None = None
        seen: set[str] = set()
        while True:
            # The raw id: whether the index sorts ids as text or as numbers is its own affair.
            beyond = {"propertyName": "hs_object_id", "operator": "GT", "value": last}
            more = [beyond] if last else []
            found = self._ask([same, *more], "hs_object_id", "0")
            rows = [row for row in found["results"] if row["id"] not in seen]
            if not found["results"] and not found["total"]:
                return low + 1
            if not rows:
                raise impossible(f"search of {self.kind}", "repeats a page of ids")
            seen.update(row["id"] for row in rows)
            last = str(rows[-1]["id"])
            yield self._inside(rows, low), low

    def _ask(self, filters: list[dict[str, Any]], sort: str, after: str) -> dict[str, Any]:
        body = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "properties": self.properties,
            "limit": LIMIT,
            "after": after,
        }
        found = self.api.search(self.kind, body)
        rows = checked(found["results"], self.kind, self.needed)
        # Search knows live records only; an archived one would go for a tombstone.
        if any(row.get("archived") for row in rows):
            raise impossible(f"search of {self.kind}", "holds archived records")
        return found

    def _between(self, low: int) -> list[dict[str, Any]]:
        return [
            {
                "propertyName": self.stamp,
                "operator": "BETWEEN",
                "value": str(low),
                "highValue": str(self.until),
            }
        ]

    def _at(self, row: Record) -> int:
        try:
            return millis(row["properties"].get(self.stamp) or row.get("updatedAt"))
        except (ValueError, OverflowError):
            raise impossible(f"search of {self.kind}", "holds a date that is none") from None

    def _inside(self, rows: list[Record], low: int) -> list[Record]:
        """Rows of the window; the index also returns some that have moved out of it."""
        return [row for row in rows if low <= self._at(row) <= self.until]
