"""Files that are wrong in every way there is: a pull says the truth, or says that it cannot."""

from __future__ import annotations

import gzip
import os

import pytest

from audiencehub.errors import Incomplete, SkipRow, Stop

pytestmark = pytest.mark.fault(10)
PEOPLE = {"table": "contact", "columns": {"email": "Mail", "first_name": "First"}, "key": ["Mail"]}
LINES = [b"Mail,First", *(b"p%d@acme.example,Ann %d" % (n, n) for n in range(40))]
TRUE = b"\n".join(LINES) + b"\n"


def at(place, line):
    """The true file with one line in place of another."""
    return b"\n".join([*LINES[:place], line, *LINES[place + 1 :]]) + b"\n"


CSV = {
    "empty": b"",
    "blanks": b"  \n\n",
    "cut in a line": TRUE[: len(TRUE) // 2],
    "cut in its header": TRUE[:7],
    "cut in the last line": TRUE[:-9],
    "a page of the web": b"<!doctype html><title>Sign in</title>\n",
    "JSON": b'[{"Mail": "p1@acme.example"}]\n',
    "gzip": gzip.compress(TRUE),
    "gzip, cut off": gzip.compress(TRUE)[:-20],
    "zip": b"PK\x03\x04" + TRUE,
    "UTF-16": TRUE.decode().encode("utf-16"),
    "latin-1": at(7, "p6@acme.example,Zoë".encode("latin-1")),
    "half a character": at(7, b"p6@acme.example,Zo\xc3"),
    "a NUL byte": at(7, b"p6@acme.example,\x00"),
    "another header": at(0, b"E-mail,Name"),
    "a header less": at(0, b"Mail"),
    "no header": b"\n".join(LINES[1:]) + b"\n",
    "its header twice in a line": at(0, b"Mail,Mail"),
    "by semicolons": TRUE.replace(b",", b";"),
    "by tabs": TRUE.replace(b",", b"\t"),
    "an open quote": at(7, b'p6@acme.example,"Ann'),
    "a quote within": at(7, b'p6@acme.example,"An"n"'),
    "a line too short": at(7, b"p6@acme.example"),
    "a line too long": at(7, b"p6@acme.example,Ann,6"),
    "a line of 2 MiB": at(7, b"p6@acme.example," + b"A" * (2 << 20)),
    "zeros after a crash": TRUE[:300] + b"\x00" * 4096,
    "random bytes": bytes(range(256)) * 20,
    "an error in words": b"ERROR: relation people does not exist\n",
}
TRUTHFUL = {
    "as it is": TRUE,
    "with a byte order mark": b"\xef\xbb\xbf" + TRUE,
    "by carriage returns": TRUE.replace(b"\n", b"\r\n"),
    "without its last line break": TRUE[:-1],
    "with a column more": b"\n".join(line + b",x" for line in LINES) + b"\n",
}


def read(drops, **options):
    """Keys that a pull says are there; what it says is absent is missing."""
    source = drops.source(path="people*.csv", snapshot=True, **{**PEOPLE, **options})
    stream, keys, last = source.available()[0], [], False
    for page in source.pull(stream, None):
        last = page.last
        for record in page.records:
            try:
                keys += [row.source_id for row in source.rows(stream, record)]
            except SkipRow:
                continue
    assert last
    return sorted(keys)


WHOLE = sorted(f"p{n}@acme.example" for n in range(40))


@pytest.mark.parametrize("kind", TRUTHFUL)
def test_a_whole_file_in_another_dress_is_whole(drops, kind):
    """If it fails, every delivery that comes from another tool is refused."""
    drops.put("people.csv", TRUTHFUL[kind])

    assert read(drops) == WHOLE


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("kind", CSV)
def test_a_wrong_file_removes_nobody(drops, kind, parts):
    """Of a snapshot, whoever is not in the file is gone: half a file removes half of them."""
    drops.put("people.csv", CSV[kind])
    if parts == 2:
        drops.put("people-2.csv", TRUE.replace(b"p", b"q"))

    with pytest.raises((Incomplete, Stop)) as found:
        read(drops)

    assert found.value.hint and "acme.example" not in found.value.message
    drops.put("people.csv", TRUE)
    assert set(WHOLE) <= set(read(drops)), "not healed by the next delivery"


@pytest.mark.parametrize("kind", ["a link", "a link to nothing", "a pipe", "a folder", "gone"])
def test_what_is_no_file_removes_nobody(drops, kind):
    """A link can lead anywhere, a pipe holds the run up, and no file at all is no empty file."""
    path = drops.folder / "people.csv"
    if kind == "a link":
        path.symlink_to(drops.put("other.csv", TRUE))
    elif kind == "a link to nothing":
        path.symlink_to(drops.folder / "nothing")
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()

    with pytest.raises((Incomplete, Stop)):
        read(drops)


def test_a_file_that_is_still_written_is_incomplete(drops, monkeypatch):
    """Half of a delivery would be taken for all of it."""
    path = drops.put("people.csv", TRUE[: len(TRUE) // 2].rpartition(b"\n")[0] + b"\n")
    source = drops.source(path="people.csv", snapshot=True, **PEOPLE)
    pages = source.pull(source.available()[0], None)
    next(pages)

    path.write_bytes(TRUE)

    with pytest.raises(Incomplete, match="changed while it was read"):
        list(pages)
