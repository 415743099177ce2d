"""Pulls as a suite sees them: records, the rows they say, and the state that rows add up to."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audiencehub.canonical import TABLES
from audiencehub.connector import Enricher, Source
from audiencehub.errors import SkipRow
from audiencehub.model import Cursor, Json, Page, Row, Stream
from audiencehub.warehouse.schema import LINKS

Key = tuple[str, str]
"""Table and source id."""
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What a mapping may raise on a record of another shape; normalize sets such records aside."""


@dataclass
class Pull:
    """A pull read to its end."""

    pages: list[Page] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Codes of the records that were set aside."""

    @property
    def records(self) -> list[Json]:
        """The raw records of all pages."""
        return [record for page in self.pages for record in page.records]

    @property
    def cursor(self) -> Cursor | None:
        """Where the next pull begins."""
        given = [page.cursor for page in self.pages if page.cursor is not None]
        return given[-1] if given else None

    @property
    def live(self) -> dict[Key, Row]:
        """What this pull says is there."""
        return live(apply({}, self.rows))


def collect(part: Source | Enricher, stream: Stream, pages: Iterable[Page]) -> Pull:
    """Read every page and say its records in canonical words."""
    pull = Pull()
    for page in pages:
        pull.pages.append(page)
        for record in page.records:
            try:
                pull.rows += part.rows(stream, record)
            except SkipRow as error:
                pull.skipped.append(error.code)
    return pull


def apply(state: Mapping[Key, Row], rows: Iterable[Row]) -> dict[Key, Row]:
    """The state after these rows: the later stands for its key, unless it is known to be older."""
    after = dict(state)
    for row in rows:
        held = after.get((row.table, row.source_id))
        if held and held.observed_at and row.observed_at and row.observed_at < held.observed_at:
            continue
        after[row.table, row.source_id] = row
    return after


def live(state: Mapping[Key, Row]) -> dict[Key, Row]:
    """What is there: neither deleted, nor a fact of a person who is gone."""
    gone = {key for key, row in state.items() if row.deleted}
    return {
        key: row
        for key, row in state.items()
        if key not in gone and ("contact", str(row.values.get("contact_ref"))) not in gone
    }


def faults_of(row: Row) -> list[str]:
    """What is wrong with a row: tables, fields, ids and times that the hub does not know."""
    table = TABLES.get(row.table)
    if table is None:
        return [f"{row.table!r} is no canonical table"]
    known = {one.name for one in table.fields} | set(LINKS)
    wrong = [f"{row.table} has no field {name!r}" for name in row.values if name not in known]
    if not isinstance(row.source_id, str) or not row.source_id.strip():
        wrong.append(f"a row of {row.table} has no source id")
    if row.observed_at is not None and not _aware(row.observed_at):
        wrong.append(f"observed_at of a row of {row.table} is not aware")
    if row.merged_into is not None and not (row.deleted and row.merged_into):
        wrong.append(f"a row of {row.table} is merged away, and not deleted")
    for name, value in row.values.items():
        if isinstance(value, datetime) and not _aware(value):
            wrong.append(f"{row.table}.{name} is an instant that is not aware")
    return wrong


def rows_of(part: Source | Enricher, stream: Stream, record: Json) -> list[Row] | str:
    """The rows of one record, or the code under which it is set aside. Raises when impure."""
    before = copy.deepcopy(record)
    try:
        said: list[Row] | str = list(part.rows(stream, record))
    except SkipRow as error:
        said = error.code
    assert record == before, f"{stream.name}: rows() changed the record it was given"
    return said


def _aware(at: Any) -> bool:
    return isinstance(at, datetime) and at.tzinfo is not None and at.utcoffset() is not None
