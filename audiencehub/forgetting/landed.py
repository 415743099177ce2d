"""Landed pages: what of a forgotten person lies in them, and the pages written anew without it.

Lines keep their numbers, for quarantine names records by them; the line of a record that is gone is
empty. A page that changes gets another name and digest in its manifest; every other stays as it is.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from audiencehub.delivery import crash
from audiencehub.forgetting.person import Person, mapping
from audiencehub.forgetting.traces import Traces, traces
from audiencehub.hub import Hub
from audiencehub.landing import Sieve, landing, sweep, sync
from audiencehub.ledger import FileEntry, Manifest
from audiencehub.model import Stream
from audiencehub.privacy.forgotten import Tombstones


@dataclass(slots=True)
class Landed:
    """What landing holds of a person, or held."""

    dropped: dict[str, int] = field(default_factory=dict)
    """`source/stream` to records of the person."""
    blanked: dict[str, int] = field(default_factory=dict)
    """`source/stream` to records of others that name the person."""
    pages: int = 0
    """Files concerned."""


@dataclass(slots=True)
class _Page:
    dropped: set[int] = field(default_factory=set)
    """Numbers of lines."""
    blanked: dict[int, str] = field(default_factory=dict)
    """Number to the line as it is to stand."""


@dataclass(frozen=True, slots=True)
class _Eye:
    """Looks at one line."""

    sieve: Sieve
    stream: Stream
    needles: tuple[str, ...]
    traces: Traces

    def keep(self, line: str) -> str | None:
        """The line as it may stand; None when its record is the person's."""
        lowered = line.lower()
        found = any(one in lowered for one in self.needles)
        if not found and not any(one in lowered for one in self.traces.spellings):
            return line
        record = json.loads(line)
        kept = self.sieve.keep(self.stream, record) if found else record
        if kept is None:
            return None
        kept = self.traces.blanked(kept)
        return line if kept == record else json.dumps(kept) + "\n"


def look(hub: Hub, person: Person) -> Landed:
    """What would go; nothing is changed."""
    marks = frozenset(person.marks(hub.ledger))
    result = Landed()
    for manifest, _, page in _pages(hub, person, Tombstones(marks, hub.ledger.sealing.mark)):
        _count(result, manifest, page)
    return result


def rewrite(hub: Hub, person: Person) -> Landed:
    """Take it out of every page; may be repeated, and then finds nothing."""
    result, root = _noted(hub, person), landing(hub.settings)
    for manifest, entry, page in _pages(hub, person, hub.ledger.tombstones()):
        new = _write(root, entry, page)
        crash.point("forget_page")
        _count(result, manifest, page)
        with hub.ledger.transaction():
            hub.ledger.erasing.rewritten(entry, new, page.dropped)
            hub.ledger.forgotten.note(person.id, "pages", asdict(result))
        crash.point("forget_page_named")
        (root / entry.path).unlink(missing_ok=True)
        sync((root / entry.path).parent)
        hub.progress("forget landed pages", result.pages, None)
    # What a killed run or a killed forget left behind holds what it always held.
    sweep(hub.settings, hub.run_id, hub.ledger.manifests.files())
    return result


def _noted(hub: Hub, person: Person) -> Landed:
    """What was done before this forget was interrupted."""
    request = hub.ledger.forgotten.get(person.id)
    said = request.found.get("pages") if request else None
    if not said:
        return Landed()
    return Landed(**said)


def _count(result: Landed, manifest: Manifest, page: _Page) -> None:
    name = f"{manifest.source}/{manifest.stream}"
    result.pages += 1
    for counts, lines in ((result.dropped, page.dropped), (result.blanked, page.blanked)):
        if lines:
            counts[name] = counts.get(name, 0) + len(lines)


def _pages(
    hub: Hub, person: Person, tombstones: Tombstones
) -> Iterator[tuple[Manifest, FileEntry, _Page]]:
    """Every page that names the person, as it is without."""
    rows, needles, spelled = mapping(hub), person.needles(), traces(person)
    for manifest in hub.ledger.manifests.after(0):
        sieve = Sieve(tombstones, manifest.source, rows(manifest.source))
        eye = _Eye(sieve, Stream(manifest.stream), needles, spelled)
        for entry in manifest.files:
            page = _read(landing(hub.settings) / entry.path, eye)
            if page.dropped or page.blanked:
                yield manifest, entry, page


def _read(path: Path, eye: _Eye) -> _Page:
    page = _Page()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            kept = eye.keep(line) if line != "\n" else line
            if kept is None:
                page.dropped.add(number)
            elif kept is not line:
                page.blanked[number] = kept
    return page


def _write(root: Path, entry: FileEntry, page: _Page) -> FileEntry:
    """The page under the first name that is free: its own, with the number of its rewriting."""
    old = root / entry.path
    stem = old.name.partition(".")[0]
    number = 1
    while (final := old.with_name(f"{stem}.{number}.jsonl.gz")).exists():
        number += 1
    final.touch(mode=0o600)
    with (
        gzip.open(old, "rt", encoding="utf-8") as lines,
        final.open("wb") as raw,
        # No time in the header: the same lines make the same file.
        gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as out,
    ):
        for place, line in enumerate(lines, 1):
            kept = "\n" if place in page.dropped else page.blanked.get(place, line)
            out.write(kept.encode("utf-8"))
    sync(final)
    sync(final.parent)
    digest = hashlib.sha256(final.read_bytes()).hexdigest()
    return FileEntry(str(final.relative_to(root)), entry.rows, digest)
