"""A disk that is full, broken or read-only: nothing is sent that is not written down first."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "delivery"))

from audiencehub.disk import demand_space, meaning
from audiencehub.errors import Stop

HERE = Path(__file__).parent
WAYS = ("eio", "full", "half", "kill")
pytestmark = [pytest.mark.fault(15)]


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    made = tmp_path_factory.mktemp("shim") / "shim.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(made), str(HERE / "shim.c"), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return made


def run(shim, what, folder, word, way="none", at=0):
    """The verb under the shim: its exit code, what it said, and how often it wrote."""
    note = folder / "note"
    ended = subprocess.run(
        [sys.executable, str(HERE / "run.py"), what, str(folder)],
        env={
            **os.environ, "LD_PRELOAD": str(shim), "SHIM_MATCH": word, "SHIM_DO": way,
            "SHIM_AT": str(at), "SHIM_NOTE": str(note), "OMP_NUM_THREADS": "1",
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    wrote = int(note.read_text()) if note.exists() else 0
    note.unlink(missing_ok=True)
    return ended.returncode, ended.stderr, wrote


def lawful(code, said, way):
    """Done, killed, or one message with an instruction: never a traceback."""
    assert "Traceback" not in said and "fault of audiencehub" not in said, said
    if code == -signal.SIGKILL:
        assert way == "kill"
        return
    assert code in (0, 1), said
    assert code == 0 or re.search(r"cannot be (written|read).*\n\s+-> \w+", said, re.S), said


def intents(folder):
    """What the ledger on the disk says was sent, read by itself."""
    db = apsw.Connection(str(folder / "ledger.sqlite"))
    found = set(db.execute("SELECT target, member, op FROM intent WHERE state <> 'planned'"))
    db.close()
    return found


def pushed(shim, folder, way, at):
    """One push that breaks at a write, and the resume: each held against the law."""
    from toybench import Bench

    folder.mkdir()
    bench = Bench(folder, guards={"first_run": "go", "field_share": 1.0})
    bench.member(warm=range(6), hot=[1])
    bench.sync()
    bench.close()
    code, said, wrote = run(shim, "push", folder, "ledger.sqlite", way, at)
    lawful(code, said, way)
    bench = Bench(folder, guards={"removals_count": 3})
    sent = {(one["target"], one["member"], one["op"]) for one in bench.world.writes.values()}
    bench.close()
    assert sent <= intents(folder), "sent without a durable intent"
    again, said, _ = run(shim, "push", folder, "ledger.sqlite")
    assert again == 0, said
    bench = Bench(folder, guards={"removals_count": 3})
    end = bench.world.tags(), bench.world.people("aud-warm")
    doubts = [bench.ledger.delivery.unsettled(one) for one in ("crm/contact/tags", "ads/list/warm")]
    chain = bench.ledger.audit.verify()
    bench.close()
    assert doubts == [[], []] and chain == []
    return wrote, end


def sweep(shim, folder, runs):
    """Breaks at so many writes, spread over all of a push, each in every way in turn."""
    count, clean = pushed(shim, folder / "clean", "none", 0)
    assert count > 60, "the shim sees no writes"
    broken = 0
    for number in range(runs):
        at, way = 1 + (2 * number + 1) * count // (2 * runs), WAYS[number % len(WAYS)]
        wrote, end = pushed(shim, folder / f"at{number}", way, at)
        assert end == clean, f"{way} at write {at} ends otherwise"
        broken += wrote != count
    assert broken >= runs // 2, "hardly any write was broken"


@pytest.mark.needs("cc")
@pytest.mark.verify
def test_a_push_on_a_broken_disk_resumes_to_the_same_places(shim, tmp_path):
    """What was sent and not noted would be sent twice, or never taken back."""
    sweep(shim, tmp_path, 1)


@pytest.mark.needs("cc")
@pytest.mark.verify
def test_a_push_that_breaks_at_any_write_resumes_to_the_same_places(shim, tmp_path):
    """One write among hundreds that is believed without having reached the disk is a lie."""
    sweep(shim, tmp_path, 20)


def drop(folder, people):
    (folder / "drops").mkdir(parents=True, exist_ok=True)
    lines = [f"p{n}@acme.example,Ann{n}" for n in people]
    (folder / "drops" / "people.csv").write_text("\n".join(["Mail,First", *lines]) + "\n")


def reading(shim, folder, word, way, at):
    from tests.disk.reading import Reading

    folder.mkdir()
    drop(folder, range(30))
    before = Reading(folder).run()
    drop(folder, range(10, 40))
    code, said, wrote = run(shim, "read", folder, word, way, at)
    lawful(code, said, way)
    after = Reading(folder).run()
    assert len(before) == 30 and after == sorted(f"p{n}@acme.example" for n in range(10, 40))
    return wrote


@pytest.mark.needs("cc")
def test_a_read_on_a_full_disk_goes_on_where_it_was(shim, tmp_path):
    """Half a page taken for a whole one would take people out of audiences."""
    assert reading(shim, tmp_path / "full", "/landing/", "full", 1), "the shim sees no writes"


@pytest.mark.needs("cc")
@pytest.mark.verify
@pytest.mark.parametrize("word", ["/landing/", "hub.duckdb", "ledger.sqlite"])
def test_a_read_that_breaks_at_any_write_goes_on_where_it_was(shim, tmp_path, word):
    """There must be no write of a read that leaves a store which cannot be opened again."""
    count = reading(shim, tmp_path / "clean", word, "none", 0)
    for number in range(4):
        at = 1 + number * count // 4
        reading(shim, tmp_path / f"at{number}", word, WAYS[number % len(WAYS)], at)


MOUNTED = """\
mount -t tmpfs -o size=8m none "$2" || exit 99
"$0" "$1" read "$3"; echo "code $?"; df --output=avail "$2" | tail -1
mount -o remount,size=512m none "$2"
"$0" "$1" read "$3"; echo "code $?"
mount -o remount,ro none "$2"
"$0" "$1" read "$3"; echo "code $?"
"""
LIMITED = """\
ulimit -f 2048; "$0" "$1" read "$3"; echo "code $?"
"""


def unshared():
    """Whether this user may mount, in a world of mounts of its own."""
    probe = ["unshare", "-m", "true"]
    try:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.verify
def test_a_real_disk_that_is_full_says_so_and_goes_on_with_more(tmp_path):
    """What no shim imitates: everything refuses at once, and reading it back fails as well."""
    home = tmp_path / "home"
    home.mkdir()
    drop(tmp_path, range(40_000))
    mounts = unshared()
    script = ["unshare", "-m", "sh", "-c", MOUNTED] if mounts else ["sh", "-c", LIMITED]
    ended = subprocess.run(
        [*script, sys.executable, str(HERE / "run.py"), str(home), str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "Traceback" not in ended.stderr, ended.stderr
    codes = re.findall(r"code (\d+)", ended.stdout)
    assert codes == (["1", "0", "1"] if mounts else ["1"]), ended.stdout + ended.stderr
    assert len(re.findall(r"cannot be written.*\n\s+-> Free space", ended.stderr)) == len(
        [code for code in codes if code == "1"]
    )


def test_a_push_without_space_for_its_notes_sends_nothing(bench_of, monkeypatch):
    """Half way through, the disk would be full and the replies could not be kept."""
    bench = bench_of
    bench.member(warm=range(3))
    monkeypatch.setattr("audiencehub.disk.RESERVE", 1 << 60)
    monkeypatch.setattr(demand_space, "__defaults__", (1 << 60,))

    with pytest.raises(Stop, match=r"MiB left.*Nothing was sent") as found:
        bench.sync()

    assert not bench.world.writes and "resumes" in found.value.hint


@pytest.fixture
def bench_of(tmp_path):
    from toybench import Bench

    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(28, "No space left on device", "/x/landing/a.gz"), "disk is full"),
        (OSError(30, "Read-only file system"), "read-only"),
        (PermissionError(13, "Permission denied", "/x/ledger.sqlite"), "may not write"),
        (apsw.FullError("full"), "disk is full"),
        (
            duckdb.TransactionException('Failed to commit: Could not write file "hub.duckdb.wal"'),
            "broken",
        ),
    ],
)
def test_what_the_disk_refuses_is_said_in_plain_words(error, says):
    """A traceback tells a person at night nothing that helps."""
    told = meaning(error)
    assert told is not None and says in told.message and told.hint


def test_other_errors_stay_what_they_are():
    """An error of ours that goes for a full disk would never be mended."""
    assert meaning(duckdb.TransactionException("Conflict on update")) is None
    assert meaning(ValueError("x")) is None and meaning(FileNotFoundError(2, "no")) is None
