"""The published copy, open for trials: what verbs that evaluate rules without a run work on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from audiencehub.insight.trial import Connection
from audiencehub.settings import Settings
from audiencehub.warehouse.scratch import open_scratch


@dataclass(frozen=True, slots=True)
class Desk:
    """An open scratch copy with its times."""

    connection: Connection
    published: datetime
    evaluated: datetime
    """The clock of the run that left the copy."""


@contextmanager
def desk(settings: Settings) -> Iterator[Desk]:
    """The published copy, open for trials. Raises ConfigError when nothing is published yet."""
    connection, published = open_scratch(settings.folder)
    try:
        found = connection.execute("SELECT value FROM meta WHERE key = 'evaluated_at'").fetchone()
        evaluated = datetime.fromisoformat(found[0]) if found else published
        yield Desk(connection, published, evaluated)
    finally:
        connection.close()
