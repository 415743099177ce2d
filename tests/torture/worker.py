"""A worker: for each run it forks one process after another, kills them, and counts.

It opens no database across a fork and has no thread; it refuses to fork if it had.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from audiencehub import connector
from audiencehub.delivery import crash
from tests.platforms.clock import skipping
from tests.torture import naive, story, tally
from tests.torture.grounds import Ground, ground
from tests.torture.places import SPOTS
from tests.torture.plan import OURS, Run
from tests.torture.story import Life
from tests.torture.tally import Tally

ROOT = Path(__file__).parents[2]
SYNCS: Mapping[str, Callable[..., None]] = {
    OURS: story.synced,
    "push then mark": naive.push_then_mark,
    "mark then push": naive.mark_then_push,
}


def played(run: Run, urls: Mapping[str, str]) -> Tally:
    """One run, from nothing to rest."""
    folder = Path(tempfile.mkdtemp(prefix="torture-", dir=_fast()))
    try:
        place, count = ground(run.place, folder, urls), Tally(runs=1)
        place.storm(run.seed)
        for attempt, point in enumerate(run.kills()):
            before = len(place.look().writes)
            dead = lived(run, place, folder, attempt, point)
            seen = place.look()
            count.kills += dead
            claimed = _claimed(run, place, folder)
            count.false_confirms += tally.false_confirms(claimed, seen)
            again = tally.resent(seen, before)
            count.resent = max(count.resent, again)
            count.over_batch += again > place.batch
            if not dead:
                break
        tally.final(count, place, run.seed, place.look())
        count.again += (folder / "again").exists()
        return count
    finally:
        shutil.rmtree(folder)


def _claimed(run: Run, place: Ground, folder: Path) -> dict[str, str]:
    if run.design == OURS:
        return tally.believed(folder, place)
    return naive.marked(Life(place, run.seed, folder, 0))


def lived(run: Run, place: Ground, folder: Path, attempt: int, point: str) -> bool:
    """A process of its own lives its days; whether it was killed at the point."""
    alone()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _child(run, place, folder, attempt, point)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and point:
        return True
    if status != 0:
        said = folder / "error"
        raise RuntimeError(f"{run}: {said.read_text() if said.exists() else status}")
    return False


def _child(run: Run, place: Ground, folder: Path, attempt: int, point: str) -> None:
    try:
        if point:
            os.environ[crash.VARIABLE] = point
        story.small_batches(place)
        life = Life(place, run.seed, folder, attempt)
        # A vendor's ceiling is no part of this, and keeping it would take most of the time.
        with skipping():
            life.live(SYNCS[run.design])
        if "again" in life.said:
            (folder / "again").touch()
    except BaseException:  # noqa: BLE001 - a forked child must never return into its parent's code
        (folder / "error").write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def alone() -> None:
    """Raises AssertionError when a fork would hand a thread or an open database to the child."""
    threads, held = (list(Path(f"/proc/self/{one}").iterdir()) for one in ("task", "fd"))
    assert len(threads) == 1, "a thread runs"
    names = {os.fspath(one.readlink()) for one in held if one.is_symlink()}
    assert not [one for one in names if one.endswith((".sqlite", ".duckdb"))], names


def _fast() -> str | None:
    """Memory where there is some: `kill -9` loses nothing that was written, on disk or not."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@contextmanager
def vendors() -> Iterator[dict[str, str]]:
    """The fakes' addresses while the block runs."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.torture.fakes"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin and child.stdout
    try:
        yield json.loads(child.stdout.readline())
    finally:
        child.stdin.close()
        child.wait(20)


def prepared() -> None:
    """Every destination imported, so that not each process does it anew."""
    for spot in SPOTS.values():
        connector.load(str(connector.spec(spot.connector).destination))
    import_module("google.ads.datamanager_v1")


def work(runs: Iterable[Run]) -> Iterator[tuple[Run, Tally]]:
    """Play these, one after the other."""
    prepared()
    with vendors() as urls:
        for run in runs:
            yield run, played(run, urls)


def main(share: int, of: int, runs: list[Run]) -> None:
    """Play every `of`-th run; a line of JSON for each."""
    for run, count in work(runs[share::of]):
        print(json.dumps([asdict(run), asdict(count)]), flush=True)
