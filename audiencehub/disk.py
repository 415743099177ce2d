"""What a disk that is full, broken or read-only means, in plain words."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from audiencehub.errors import Stop

P = ParamSpec("P")
R = TypeVar("R")

RESERVE = 16 * 1024 * 1024
"""Bytes that must be free before anything is sent: intents, replies and their log need a part."""
CAUSES = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of this user is used up",
    errno.EFBIG: "the file would become larger than is allowed",
    errno.EIO: "the disk does not do what it is told",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "this user may not write there",
    errno.EPERM: "this user may not write there",
}
ENGINES = {
    ("apsw", "FullError"): "the disk is full",
    ("apsw", "IOError"): "the disk does not do what it is told",
    ("apsw", "ReadOnlyError"): "this user may not write there",
    ("apsw", "CantOpenError"): "this user may not write there, or the disk is full",
    ("_duckdb", "IOException"): "the disk is full, broken or read-only",
    ("_duckdb", "FatalException"): "the disk is full or broken",
}
COMMIT = "Could not write file"
"""In DuckDB's refusal to commit, where the disk is the cause."""
HINT = "Free space and check the disk and its permissions, then run again: it resumes"


def meaning(error: BaseException) -> Stop | None:
    """The error as a person can act on it; None where it is about something else."""
    where, why = "", None
    if isinstance(error, OSError):
        where, why = str(error.filename or ""), CAUSES.get(error.errno or 0)
    else:
        kind = type(error)
        why = ENGINES.get((kind.__module__.partition(".")[0], kind.__name__))
        if kind.__name__ == "TransactionException" and COMMIT in str(error):
            why = ENGINES["_duckdb", "IOException"]
    if why is None:
        return None
    what = Path(where).name or "A file of the hub"
    return Stop(f"{what} cannot be written: {why}. Nothing was sent without it.", hint=HINT)


@contextmanager
def plainly() -> Iterator[None]:
    """Raise Stop for what the disk refuses in this block."""
    try:
        yield
    except Exception as error:
        told = meaning(error)
        if told is None:
            raise
        raise told from None


def kept(function: Callable[P, R]) -> Callable[P, R]:
    """The function under `plainly`."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with plainly():
            return function(*args, **kwargs)

    return run


def demand_space(folder: Path, need: int = RESERVE) -> None:
    """Raises Stop where a folder's disk has less than `need` bytes for this user."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    found = os.statvfs(there)
    free = found.f_bavail * found.f_frsize
    if free < need:
        raise Stop(
            f"The disk of {there.name or there} has {free >> 20} MiB left; a push needs "
            f"{need >> 20} MiB to write down what it sends. Nothing was sent.",
            hint=HINT,
        )
