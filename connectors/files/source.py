"""The files source: finds what is new below one folder, and says its records in canonical words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from itertools import islice
from pathlib import Path
from typing import Any

from audiencehub.connector import Context, Source
from audiencehub.errors import Incomplete, SkipRow, Stop
from audiencehub.model import Cursor, Json, Page, Row, Stream
from connectors.files.convert import CONVERT, period, period_in_name
from connectors.files.layout import Layout, Mapped
from connectors.files.options import FilesOptions
from connectors.files.reading import records
from connectors.files.roots import Found, located, matching, opened

PAGE = 1000
PERIOD = 'Set period = "2026-11", or name files after the Monday: intent-2026-11-09.csv'
FAULTS = {
    "columns": "it has another number of columns",
    "encoding": "it is not in the declared encoding",
    "json": "it is not one JSON object",
    "nul_byte": "it holds a NUL byte",
    "quote": "a quote opens and does not close where it should",
    "too_long": "it is longer than 1 MiB",
}


class FilesSource(Source):
    """Reads the files of one settings entry; each is one that changed since the cursor."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._options = FilesOptions(**context.options)
        self._layout: Layout = self._options.layout.widened(context.custom)

    def available(self) -> Sequence[Stream]:
        """The one stream, named after its canonical table."""
        return (Stream(self._layout.stream, self.context.name, snapshot=self._options.snapshot),)

    def check(self) -> str:
        """How many files there are. Raises Stop when there is none."""
        files = self._found()
        if not files:
            raise self._missing()
        total = sum(file.size for file in files)
        return f"{len(files):,} file{'s' * (len(files) != 1)}, {total:,} bytes"

    def pull(self, stream: Stream, cursor: Cursor | None) -> Iterator[Page]:  # noqa: ARG002 - one
        """Pages of a thousand records, of files that are new or changed since the cursor.

        Of a snapshot every file, every time. The cursor holds size and time of each file. Raises
        Stop when there is no file at all, Incomplete when one changes while it is read.
        """
        files = self._found()
        if not files and (cursor is None or self._options.snapshot):
            raise self._missing()
        names = {file.name for file in files}
        seen = {} if cursor is None or self._options.snapshot else cursor
        known = {name: stamp for name, stamp in seen.items() if name in names}
        fresh = [file for file in files if known.get(file.name) != file.stamp]
        for file in fresh:
            self._demand_period(file.name)
            yield from self._read(file)
            known[file.name] = file.stamp
            yield Page((), cursor=dict(known), full=self._options.snapshot)
        yield Page((), cursor=known, last=True, full=self._options.snapshot)

    def rows(self, stream: Stream, record: Json) -> Iterable[Row]:  # noqa: ARG002 - there is one
        """The canonical rows of one record. Raises SkipRow for a bad line or a missing field."""
        if fault := record.get("fault"):
            raise SkipRow(
                f"{record['id']}: {FAULTS[fault]}.",
                code=fault,
                hint="Correct the line and deliver the file again",
            )
        return [self._row(one, record) for one in self._layout.maps]

    def _read(self, file: Found) -> Iterator[Page]:
        with opened(file) as stream:
            if _stamp(stream.fileno()) != file.stamp:
                raise _changing(file)
            if self._options.snapshot and not stream.read(4096).strip():
                raise _unread(file, "is empty, without even its header")
            stream.seek(0)
            found, bad = records(stream, file.name, self._layout), 0
            while batch := list(islice(found, PAGE)):
                yield Page(batch, full=self._options.snapshot)
                bad += sum("fault" in record for record in batch)
            # Whoever stands in such a line would be taken for gone.
            if self._options.snapshot and bad:
                raise _unread(file, f"has {bad:,} line{'s' * (bad != 1)} that cannot be read")
            if _stamp(stream.fileno()) != file.stamp:
                raise _changing(file)

    def _row(self, mapped: Mapped, record: Json) -> Row:
        values = {
            name: self._value(mapped, name, record, column)
            for name, column in (*mapped.columns.items(), *mapped.optional.items())
            if column in record["values"] or name in mapped.columns
        }
        values |= {name: text for name, text in mapped.constants.items() if not values.get(name)}
        for name in mapped.required:
            if values.get(name) is None:
                raise SkipRow(
                    f"{record['id']}: {name} is missing or cannot be used.",
                    code=f"no_{name}",
                    hint=f"Deliver the record with its {name}",
                )
        observed = _instant(values.get(mapped.observed)) if mapped.observed else None
        if mapped.origin:
            values[mapped.origin] = record["id"]
        days = self._period(str(record["file"]))
        if mapped.dated and days is None:
            raise SkipRow(
                f"{record['id']}: nothing says of which days it is.", code="no_period", hint=PERIOD
            )
        if days:
            observed = datetime.combine(days[1], time(), UTC)
            if mapped.dated:
                values |= {"period_start": days[0].isoformat(), "period_end": days[1].isoformat()}
        return Row(mapped.table, self._id(mapped, values, record), values, observed_at=observed)

    def _value(self, mapped: Mapped, name: str, record: Json, column: str) -> Any:
        value = record["values"].get(column)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if name not in mapped.convert:
            return value
        converted = CONVERT[mapped.convert[name]](str(value))
        # What is not required goes on as it is, so that cleaning counts it as not understood.
        return value if converted is None and name not in mapped.required else converted

    def _id(self, mapped: Mapped, values: Json, record: Json) -> str:
        if not mapped.key:
            return str(record["id"])
        by_column = {column: name for name, column in mapped.columns.items()}
        parts = []
        for column in mapped.key:
            # The converted value, where there is one: the same company in two spellings is one.
            name = by_column.get(column)
            value = values[name] if name else record["values"].get(column)
            if value is None or not str(value).strip():
                raise SkipRow(
                    f"{record['id']}: its key {column} is empty.",
                    code="no_key",
                    hint="Deliver the record with its key",
                )
            parts.append(str(value).strip())
        return parts[0] if len(parts) == 1 else json.dumps(parts, ensure_ascii=False)

    def _period(self, name: str) -> tuple[date, date] | None:
        """First and last day of what a file is about; None where there is no period."""
        if not any(one.dated for one in self._layout.maps):
            return None
        return period(self._options.period) if self._options.period else period_in_name(name)

    def _demand_period(self, name: str) -> None:
        if any(one.dated for one in self._layout.maps) and self._period(name) is None:
            raise Stop(f"{name}: nothing says of which days its scores are.", hint=PERIOD)

    def _found(self) -> list[Found]:
        files: dict[str, Found] = {}
        for root, parts in self._places:
            for file in matching(root, parts):
                other = files.setdefault(file.name, file)
                if (other.root, other.parts) != (file.root, file.parts):
                    raise Stop(
                        f"Two files are called {file.name}.",
                        hint="Rows are named after their file: rename one of them",
                    )
        return [files[name] for name in sorted(files)]

    @cached_property
    def _places(self) -> list[tuple[Path, tuple[str, ...]]]:
        if self._options.paths:
            root, project = self._options.root, self.context.root
            places = [located(one, root, project) for one in self._options.paths]
            return [place for place in places if place is not None]
        return [_packaged(self._layout)] if self._layout.package else []

    def _missing(self) -> Stop:
        what = ", ".join(self._options.paths) or "The file"
        return Stop(
            f"{what}: no such file.",
            hint=self._layout.missing or "Put the file there, or correct the option path",
        )


def _packaged(layout: Layout) -> tuple[Path, tuple[str, ...]]:
    """The file inside an installed package, which is not imported: it is too old to be."""
    name, version, path = layout.package or ("", "", "")
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise Stop(f"The package {name} is not installed.", hint=layout.missing) from None
    listed = next((one for one in found.files or () if str(one) == path), None)
    if listed is None:
        raise Stop(f"{name} {found.version} has no {path}; {version} has.", hint=layout.missing)
    whole = Path(str(found.locate_file(listed))).resolve()
    return whole.parent, (whole.name,)


def _stamp(handle: int) -> str:
    info = os.fstat(handle)
    return f"{info.st_size}:{info.st_mtime_ns}"


def _unread(file: Found, why: str) -> Incomplete:
    return Incomplete(
        f"{file.name} {why}.",
        hint="Correct it and deliver it again (audiencehub quarantine list names the lines); "
        "nobody is removed because of it",
    )


def _changing(file: Found) -> Incomplete:
    return Incomplete(
        f"{file.name} changed while it was read.",
        hint="Run again; deliver under a name that begins with a dot, then rename",
    )


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None
