"""The landing folder: raw pages as compressed JSON lines, and the spool they are read into."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from audiencehub.errors import SkipRow
from audiencehub.model import Json, Row, Stream
from audiencehub.privacy.forgotten import Tombstones
from audiencehub.settings import Settings

MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What a mapping raises on a record whose shape is not the vendor's documented one."""


@dataclass(slots=True)
class StreamPull:
    """What one stream's pull came to."""

    stream: str
    rows: int = 0
    pages: int = 0
    total: int | None = None
    full: bool = False
    complete: bool = False
    reason: str | None = None
    """Why it is not complete."""
    cursor: dict[str, str] | None = None
    forgotten: int = 0
    """Records that were not kept, because their person asked to be forgotten."""


@dataclass(frozen=True, slots=True)
class Sieve:
    """What of one source may be kept on disk: nothing of people who asked to be forgotten."""

    tombstones: Tombstones
    source: str
    rows: Callable[[Stream, Json], Iterable[Row]]
    """The source's own mapping."""

    def keep(self, stream: Stream, record: Json) -> Json | None:
        """The record as it may be written; None when it is a forgotten person's own."""
        if not self.tombstones:
            return record
        rows: Sequence[Row] | None
        try:
            rows = list(self.rows(stream, record))
        except (SkipRow, *MALFORMED):
            rows = None
        return self.tombstones.sift(self.source, stream.name, record, rows)


def landing(settings: Settings) -> Path:
    """Where landed pages lie."""
    return settings.folder / "landing"


def spool(settings: Settings, run_id: str, source: str) -> Path:
    """Where a run keeps the pages of a source until they are landed."""
    return landing(settings) / ".spool" / run_id / source


def note(folder: Path, pulls: Sequence[StreamPull]) -> None:
    """Write down what a pull came to, beside its pages."""
    (folder / "pull.json").write_text(json.dumps([asdict(one) for one in pulls]), "utf-8")


def noted(folder: Path) -> list[StreamPull]:
    """What a pull came to; nothing where it did not come to anything."""
    if not (folder / "pull.json").exists():
        return []
    return [StreamPull(**one) for one in json.loads((folder / "pull.json").read_text("utf-8"))]


def compacted(path: Path) -> Path:
    """Where what is left of a landed page lies, once it was compacted."""
    return path.with_name(f"{path.name.partition('.')[0]}.compact.jsonl.gz")


def records(settings: Settings, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and raw record of one landed file; lines of forgotten people are empty."""
    with gzip.open(landing(settings) / path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line != "\n":
                yield number, json.loads(line)


def sweep(settings: Settings, run_id: str, named: set[str]) -> int:
    """Remove other runs' spools and files that no manifest names; returns how many files."""
    folder = landing(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in (folder / ".spool").glob("*"):
        if old.name != run_id:
            shutil.rmtree(old, ignore_errors=True)
    strays = [
        path for path in folder.glob("*/*/*.jsonl.gz") if str(path.relative_to(folder)) not in named
    ]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def sync(path: Path) -> None:
    """Force a file's bytes, or a folder's names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
