"""Pull: read a source's streams into a spool of compressed pages. Nothing is landed yet."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from audiencehub.connector import Enricher, Source
from audiencehub.disk import kept
from audiencehub.errors import Incomplete, Stop, Wait
from audiencehub.hub import Hub
from audiencehub.landing import Sieve, StreamPull, note, spool
from audiencehub.model import Cursor, Page, Stream
from audiencehub.opening import open_source


@dataclass(frozen=True, slots=True)
class Pulled:
    """One source's pull: a summary per stream; the pages lie in the spool."""

    source: str
    streams: tuple[StreamPull, ...]

    @property
    def complete(self) -> bool:
        """Every stream was read to its proven end."""
        return all(one.complete for one in self.streams)


@kept
def pull(hub: Hub, name: str, full: bool = False) -> Pulled:
    """Every stream of a source since its cursor; all of it when `full`. May raise Stop."""
    source = open_source(hub, name)
    if not isinstance(source, Source):
        return enrich(hub, name)
    folder = _fresh(spool(hub.settings, hub.run_id, name))
    done: list[StreamPull] = []
    stopped: Stop | None = None
    for stream in source.available():
        cursor = source.remembered = hub.ledger.manifests.cursor(name, stream.name)
        pages = _begun(source, stream, None if full else cursor)
        try:
            done.append(_read(hub, name, stream, _unless(stopped, pages), folder))
        except Stop as error:
            stopped = error
            done.append(StreamPull(stream.name, reason=f"{error.message} {error.hint}"))
    pulled = _noted(folder, Pulled(name, tuple(done)))
    if stopped is not None:
        # What was not read is noted as such, so that nobody is removed on what was read before.
        raise stopped
    return pulled


def _begun(source: Source, stream: Stream, cursor: Cursor | None) -> Iterator[Page]:
    """A stream's pages; what its source refuses before the first is raised with the first."""
    yield from source.pull(stream, cursor)


def _unless(stopped: Stop | None, pages: Iterator[Page]) -> Iterator[Page]:
    """The pages, but for a source that cannot go on."""
    if stopped is not None:
        raise stopped
    yield from pages


def enrich(hub: Hub, name: str) -> Pulled:
    """Answers for the accounts' keys that were never asked for, or long enough ago."""
    enricher = open_source(hub, name)
    if not isinstance(enricher, Enricher):
        return Pulled(name, ())
    folder = _fresh(spool(hub.settings, hub.run_id, name))
    stream = enricher.stream
    asked = dict(hub.ledger.manifests.cursor(name, stream.name) or {})
    oldest = hub.now - timedelta(days=enricher.keep_days)
    keys = [
        key
        for key in _keys(hub, enricher.key)
        if key not in asked or datetime.fromisoformat(asked[key]) <= oldest
    ]
    if not keys:
        return _noted(folder, Pulled(name, ()))
    answered: set[str] = set()
    result = _read(hub, name, stream, _noting(enricher, keys, answered), folder)
    # Silence is no answer, and costs nothing: it may be a reply that was cut to an empty one.
    result.cursor = asked | dict.fromkeys(sorted(answered & set(keys)), hub.now.isoformat())
    return _noted(folder, Pulled(name, (result,)))


def _noting(enricher: Enricher, keys: Sequence[str], answered: set[str]) -> Iterator[Page]:
    """The pages of an enrichment, and in `answered` the keys that they are about."""
    for page in enricher.enrich(keys):
        answered.update(enricher.answers(record) for record in page.records)
        yield page


def _keys(hub: Hub, key: str) -> list[str]:
    table, _, field = key.partition(".")
    known = {("account", "domain")}
    if (table, field) not in known:
        raise Incomplete(f"No keys of the kind {key}.", hint="Use account.domain")
    found = hub.warehouse.connection.execute(
        "SELECT DISTINCT domain FROM account WHERE domain IS NOT NULL ORDER BY domain"
    ).fetchall()
    return [str(row[0]) for row in found]


def _read(hub: Hub, source: str, stream: Stream, pages: Iterator[Page], folder: Path) -> StreamPull:
    result = StreamPull(stream.name)
    before = hub.ledger.manifests.recent_complete(source, stream.name, n=1)
    sieve = Sieve(hub.ledger.tombstones(), source, open_source(hub, source).rows)
    ended = False
    with gzip.open(
        folder / f"{stream.name}.jsonl.gz", "wt", encoding="utf-8", compresslevel=3
    ) as out:
        try:
            for page in pages:
                kept = [sieve.keep(stream, record) for record in page.records]
                for record in kept:
                    if record is not None:
                        out.write(json.dumps(record, default=str) + "\n")
                result.forgotten += kept.count(None)
                result.rows += len(kept) - kept.count(None)
                result.pages += 1
                result.full = result.full or page.full
                result.total = page.total if page.total is not None else result.total
                result.cursor = dict(page.cursor) if page.cursor is not None else result.cursor
                ended = page.last
                hub.progress(f"pull {source}/{stream.name}", result.rows, result.total)
        except (Incomplete, Wait) as error:
            ended, result.reason = False, f"{error.message} {error.hint}"
    result.complete = ended and _whole(result, before)
    if not result.complete and result.reason is None:
        result.reason = _why(result, ended)
    return result


def _whole(result: StreamPull, before: list[int]) -> bool:
    read = result.rows + result.forgotten
    if result.total is not None and read < result.total:
        return False
    return not (result.full and read == 0 and before and before[0] > 0)


def _why(result: StreamPull, ended: bool) -> str:
    if not ended:
        return "the source ended without saying that it was the end"
    read = result.rows + result.forgotten
    if result.total is not None and read < result.total:
        return f"the source says {result.total:,} records and sent {read:,}"
    return "the source sent nothing where there was something before"


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def _noted(folder: Path, pulled: Pulled) -> Pulled:
    note(folder, pulled.streams)
    return pulled
