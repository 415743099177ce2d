"""What is read, when it is read again, and what must not be read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from audiencehub.errors import ConfigError, HubError, Incomplete, Stop

from .conftest import EVENT


def test_pages_hold_a_thousand_and_the_last_says_so(drops):
    """A pull without a last page never proves completeness."""
    drops.put("a.csv", "name,at,who\n" + "login,2026-01-01T00:00:00Z,a@x.example\n" * 2500)

    pages, records = drops.pull(path="a.csv", **EVENT)

    assert [len(page.records) for page in pages] == [1000, 1000, 500, 0, 0]
    assert [page.last for page in pages] == [False, False, False, False, True]
    assert records[0] == {
        "id": "a.csv:2",
        "file": "a.csv",
        "line": 2,
        "values": {"name": "login", "at": "2026-01-01T00:00:00Z", "who": "a@x.example"},
    }


def test_only_new_and_changed_files_are_read_again(drops):
    """Hourly syncs over a year of drops would read them all each hour."""
    drops.put("in/e-1.csv", "name,at,who\nlogin,x,a\n")
    pages, first = drops.pull(path="in/e-*.csv", **EVENT)
    cursor = pages[-1].cursor
    assert drops.pull(cursor, path="in/e-*.csv", **EVENT)[1] == []

    drops.put("in/e-2.csv", "name,at,who\nlogin,y,b\n")
    pages, second = drops.pull(cursor, path="in/e-*.csv", **EVENT)
    changed = drops.put("in/e-1.csv", "name,at,who\nlogin,x,a\nlogout,x,a\n")
    _, third = drops.pull(pages[-1].cursor, path="in/e-*.csv", **EVENT)

    assert len(first) == 1
    assert [record["id"] for record in second] == ["e-2.csv:2"]
    assert [record["id"] for record in third] == ["e-1.csv:2", "e-1.csv:3"]
    assert changed.exists() and not any(page.full for page in pages)


def test_a_snapshot_is_read_whole_each_time_and_says_so(drops):
    """Only then may absence mean deletion."""
    drops.put("all.csv", "name,at,who\nlogin,x,a\n")
    pages, _ = drops.pull(path="all.csv", snapshot=True, **EVENT)

    again, records = drops.pull(pages[-1].cursor, path="all.csv", snapshot=True, **EVENT)

    assert len(records) == 1
    assert all(page.full for page in again)


def test_the_ids_of_rows_do_not_change_when_the_root_moves(drops, monkeypatch):
    """The same file mounted elsewhere would double every row."""
    drops.put("here/bombora/surge_sample.csv", "a,a.example,,,c,t,60,,\n")
    ids = []
    for root in ("here", "here/bombora"):
        monkeypatch.setenv("AUDIENCEHUB_REALDATA", str(drops.folder / root))
        rows, _ = drops.rows(preset="bombora", period="2015-07")
        ids.append([row.source_id for row in rows])

    assert ids[0] == ids[1] == ["surge_sample.csv:1", "a.example"]


def test_two_files_of_one_name_stop(drops):
    """Rows of one would overwrite those of the other."""
    for folder in ("a", "b"):
        drops.put(f"{folder}/e.csv", "name,at,who\n")

    with pytest.raises(Stop, match="Two files"):
        drops.pull(path=["a/e.csv", "b/e.csv"], **EVENT)
    assert drops.pull(path="*/e.csv", **EVENT)[0][-1].last


def test_a_missing_file_stops_and_an_empty_folder_later_does_not(drops):
    """A path with a slip of the pen must not look like a quiet day; drops that are cleared away
    after the first pull are one."""
    with pytest.raises(Stop, match="no such file"):
        drops.pull(path="in/e-*.csv", **EVENT)
    with pytest.raises(Stop):
        drops.source(path="in/e-*.csv", **EVENT).check()
    with pytest.raises(Stop):
        drops.pull({"e-1.csv": "1:1"}, path="in/e-*.csv", snapshot=True, **EVENT)

    assert drops.pull({"e-1.csv": "1:1"}, path="in/e-*.csv", **EVENT)[0][-1].last


def test_a_file_that_grows_while_it_is_read_is_incomplete(drops):
    """Half a copy would count as the whole."""
    path = drops.put("a.csv", "name,at,who\n" + "login,x,a\n" * 3000)
    source = drops.source(path="a.csv", **EVENT)
    pages = source.pull(source.available()[0], None)
    next(pages)
    with path.open("a") as more:
        more.write("login,y,b\n")

    with pytest.raises(Incomplete, match="changed"):
        list(pages)


def test_parquet_values_become_plain_ones(drops):
    """Landing keeps JSON; decimals and instants must not lose a digit."""
    from datetime import UTC, date, datetime
    from decimal import Decimal

    table = pa.table(
        {
            "name": ["buy"],
            "who": ["a@x.example"],
            "at": [datetime(2026, 1, 2, 3, tzinfo=UTC)],
            "sum": [Decimal("12.30")],
            "raw": [b"\x00\xff"],
            "list": [[{"day": date(2026, 1, 2)}]],
        }
    )
    parquet.write_table(table, drops.folder / "a.parquet")

    _, records = drops.pull(path="a.parquet", format="parquet", **EVENT)

    assert records[0]["values"] == {
        "name": "buy",
        "who": "a@x.example",
        "at": "2026-01-02T03:00:00+00:00",
        "sum": "12.30",
        "raw": "AP8=",
        "list": [{"day": "2026-01-02"}],
    }


@pytest.mark.parametrize("keep", [10, 200])
def test_a_cut_parquet_file_is_incomplete(drops, keep):
    """A copy in progress."""
    parquet.write_table(
        pa.table({"name": ["x"] * 99, "at": ["y"] * 99, "who": ["z"] * 99}),
        drops.folder / "whole.parquet",
    )
    drops.put("a.parquet", (drops.folder / "whole.parquet").read_bytes()[:keep])

    with pytest.raises(Incomplete):
        drops.pull(path="a.parquet", format="parquet", **EVENT)


@pytest.mark.parametrize(
    "content", ["name,who\nlogin,a\n", "name,at,who,who\n", b"\xff\xfe\n", '"name\n']
)
def test_a_header_without_the_mapped_columns_stops(drops, content):
    """A renamed column must not become a year of unknown values."""
    drops.put("a.csv", content)

    with pytest.raises(Stop):
        drops.pull(path="a.csv", **EVENT)


def test_an_empty_file_has_no_records(drops):
    """And is no fault."""
    drops.put("a.csv", b"")

    assert drops.pull(path="a.csv", **EVENT)[1] == []


def test_nothing_outside_the_root_is_named(drops, tmp_path_factory, monkeypatch):
    """`../../etc/passwd` in a settings file read from somewhere else."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "secret.csv").write_text("name,at,who\nx,y,z\n")
    monkeypatch.delenv("AUDIENCEHUB_REALDATA", raising=False)
    hostile = [
        "../x.csv",
        "in/../../x.csv",
        str(elsewhere / "secret.csv"),
        "/etc/passwd",
        "a\0b",
        "..",
        "${AUDIENCEHUB_REALDATA}/../x.csv",
    ]
    for path in hostile:
        with pytest.raises(HubError) as caught:
            drops.pull(path=path, **EVENT)
        assert isinstance(caught.value, ConfigError | Stop)


@pytest.mark.parametrize("kind", ["file", "folder", "matched", "dangling"])
def test_links_are_not_followed(drops, tmp_path_factory, kind):
    """Who can write into the drop folder could have any file of the hub's user read."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "s.csv").write_text("name,at,who\nx,y,z\n")
    drops.put("in/ok.csv", "name,at,who\n")
    target = {"folder": elsewhere, "dangling": elsewhere / "no"}.get(kind, elsewhere / "s.csv")
    (drops.folder / "in/link.csv").symlink_to(target)
    path = {"folder": "in/link.csv/s.csv", "matched": "in/*.csv"}.get(kind, "in/link.csv")

    with pytest.raises(Stop, match="link"):
        drops.pull(path=path, **EVENT)


def test_a_folder_swapped_for_a_link_after_the_look_is_noticed(drops, tmp_path_factory):
    """Between finding and opening there is time enough."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "s.csv").write_text("name,at,who\nx,y,z\n")
    drops.put("in/s.csv", "name,at,who\nx,y,z\n")
    source = drops.source(path="in/s.csv", **EVENT)
    files = source._found()
    (drops.folder / "in").rename(drops.folder / "was")
    (drops.folder / "in").symlink_to(elsewhere)
    source._found = lambda: files

    with pytest.raises(Stop):
        list(source.pull(source.available()[0], None))


def test_pipes_sockets_and_folders_are_no_files(drops):
    """Opening a pipe waits for ever."""
    os.mkfifo(drops.folder / "pipe.csv")
    with pytest.raises(Stop):
        drops.pull(path="pipe.csv", **EVENT)

    with socket.socket(socket.AF_UNIX) as one:
        here = Path.cwd()
        os.chdir(drops.folder)
        try:
            one.bind("sock.csv")
        finally:
            os.chdir(here)
        with pytest.raises(Stop):
            drops.pull(path="sock.csv", **EVENT)

    (drops.folder / "dir.csv").mkdir()
    with pytest.raises(Stop, match="no such file"):
        drops.pull(path="dir.csv", **EVENT)


@pytest.mark.parametrize("name", [b"bad\xff.csv", b"new\nline.csv", b"esc\x1b.csv"])
def test_unprintable_names_stop(drops, name):
    """They would forge log lines, or not be storable at all."""
    (drops.folder / os.fsdecode(name)).write_bytes(b"name,at,who\n")

    with pytest.raises(Stop):
        drops.pull(path="*.csv", **EVENT)


def test_hidden_files_are_not_matched(drops):
    """Copying tools write to a hidden name and rename."""
    drops.put("in/.part.csv", "name,at,who\nx,y,z\n")
    drops.put("in/done.csv", "name,at,who\n")

    assert drops.pull(path="in/*.csv", **EVENT)[1] == []


def test_a_path_part_too_long_for_the_disk_stops(drops):
    """An error of the operating system is no traceback."""
    with pytest.raises(Stop):
        drops.pull(path="x" * 300, **EVENT)
