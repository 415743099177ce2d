"""One file as raw records: `{id, file, line, values}`, or `{id, file, line, fault, raw}`."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO

from audiencehub.errors import Incomplete, Stop
from audiencehub.model import Json
from connectors.files.layout import Layout
from connectors.files.lines import RAW, Line, csv_lines, json_lines, word_lines


def records(stream: BinaryIO, name: str, layout: Layout) -> Iterator[Json]:
    """Every record of the file, in order.

    Raises Stop when a column that the mapping uses is missing, Incomplete for a cut Parquet file.
    """
    if layout.format == "parquet":
        yield from _parquet(stream, name, layout)
        return
    lines = _lines(stream, layout)
    if layout.format == "jsonl":
        for line in lines:
            yield _record(name, line, line.values)
        return
    header = layout.header or _header(next(lines, None), name)
    if not layout.header:
        _check(frozenset(header), layout, name)
    for line in islice(lines, layout.skip if layout.header else 0, None):
        if line.fault:
            yield _record(name, line, None)
        elif len(line.values) != len(header):
            raw = layout.delimiter.join(line.values)[:RAW]
            yield _record(name, Line(line.number, None, "columns", raw), None)
        else:
            yield _record(name, line, dict(zip(header, line.values, strict=True)))


def _lines(stream: BinaryIO, layout: Layout) -> Iterator[Line]:
    if layout.format == "jsonl":
        return json_lines(stream, layout.encoding)
    if layout.format == "words":
        return word_lines(stream, layout.encoding)
    return csv_lines(stream, layout.encoding, layout.delimiter)


def _header(line: Line | None, name: str) -> Sequence[str]:
    """The names in the first line; an empty file has none, and no records either."""
    if line is None:
        return ()
    names = [str(one).strip() for one in line.values or ()]
    if line.fault or len(set(names)) != len(names):
        raise Stop(
            f"{name}: its first line is no header: a column twice, or not readable.",
            hint="Correct the file, or name its columns in the option header",
        )
    return names


def _check(names: frozenset[str], layout: Layout, name: str) -> None:
    missing = sorted(layout.used - names)
    if names and missing:
        raise Stop(
            f"{name} has no column {', '.join(missing)}.",
            hint="Correct the file or the option columns; nothing of it was read",
        )


def _record(name: str, line: Line, values: Any) -> Json:
    where = {"id": f"{name}:{line.number}", "file": name, "line": line.number}
    if line.fault:
        return {**where, "fault": line.fault, "raw": line.raw}
    return {**where, "values": values}


def _parquet(stream: BinaryIO, name: str, layout: Layout) -> Iterator[Json]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(stream)
        _check(frozenset(file.schema_arrow.names), layout, name)
        number = 0
        for batch in file.iter_batches(batch_size=1000):
            for values in batch.to_pylist():
                number += 1
                plain = {key: _plain(value) for key, value in values.items()}
                yield _record(name, Line(number), plain)
    except (pa.ArrowException, OSError):
        raise Incomplete(
            f"{name} is cut off or not a Parquet file.",
            hint="Deliver it again, under a name that begins with a dot; then rename",
        ) from None


def _plain(value: Any) -> Any:
    """A Parquet value as JSON has it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
