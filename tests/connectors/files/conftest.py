"""A files source over a folder of its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from audiencehub.connector import Context
from audiencehub.errors import SkipRow
from connectors.files.options import FilesOptions
from connectors.files.source import FilesSource

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


class Drops:
    """A folder, and what a source reads from it."""

    def __init__(self, folder):
        self.folder = folder
        self.custom = {}

    def put(self, name, content):
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def source(self, **options):
        """A source as the hub opens it: options checked and dumped."""
        checked = FilesOptions(**options).model_dump()
        context = Context("drops", checked, lambda _: "", NOW, root=self.folder, custom=self.custom)
        return FilesSource(context)

    def pull(self, cursor=None, **options):
        """Pages, and the records of all of them."""
        source = self.source(**options)
        pages = list(source.pull(source.available()[0], cursor))
        return pages, [record for page in pages for record in page.records]

    def rows(self, **options):
        """Rows, and the codes of the records set aside."""
        source = self.source(**options)
        stream, rows, aside = source.available()[0], [], []
        for page in source.pull(stream, None):
            for record in page.records:
                try:
                    rows += source.rows(stream, record)
                except SkipRow as error:
                    aside.append((record["line"], error.code))
        return rows, aside


@pytest.fixture
def drops(tmp_path):
    return Drops(tmp_path)


EVENT = {"table": "event", "columns": {"name": "name", "at": "at", "contact_email": "who"}}
