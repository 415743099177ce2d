"""Opening files below one folder only: no link is followed, nothing but regular files is read.

Every part of a path is opened relative to the folder before it, so that nobody can swap a folder
for a link between the check and the use (OWASP ASVS 5.3.2).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from audiencehub.errors import ConfigError, Stop

_WILD = re.compile(r"[*?\[]")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a pipe in the folder would hold up the run for ever.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One regular file below a root."""

    name: str
    """Its path below the last folder that the pattern names in full; rows are named after it, so
    it must not change when the root moves."""
    parts: tuple[str, ...]
    root: Path
    size: int
    mtime_ns: int

    @property
    def stamp(self) -> str:
        """Changes when the file does."""
        return f"{self.size}:{self.mtime_ns}"


def located(pattern: str, root: str, project: Path) -> tuple[Path, tuple[str, ...]] | None:
    """The root of a pattern and its parts below it; None when its `${NAME}` is unset.

    Raises ConfigError for a pattern that leaves the root.
    """
    folder = (project / Path(root).expanduser()).resolve() if root else project.resolve()
    if found := re.match(r"\$\{([A-Z][A-Z0-9_]*)\}/?", pattern):
        value = os.environ.get(found[1], "")
        if not value:
            return None
        folder, pattern = Path(value).expanduser().resolve(), pattern[found.end() :]
    elif pattern.startswith("/"):
        try:
            pattern = str(Path(pattern).relative_to(folder))
        except ValueError:
            raise _outside(pattern, folder) from None
    parts = tuple(part for part in pattern.split("/") if part not in ("", "."))
    if ".." in parts or "\0" in pattern or not parts:
        raise _outside(pattern, folder)
    return folder, parts


def matching(root: Path, parts: tuple[str, ...]) -> list[Found]:
    """The regular files that a pattern names, by name. Raises Stop for a link or a device."""
    try:
        top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError:
        raise _forbidden(str(root)) from None
    try:
        return sorted(_below(top, root, (), parts, _fixed(parts)))
    except OSError as error:
        raise Stop(
            f"{'/'.join(parts)}: cannot be looked up (error {error.errno}).",
            hint="Check the option path and the folder",
        ) from None
    finally:
        os.close(top)


@contextmanager
def opened(file: Found) -> Iterator[BinaryIO]:
    """The file, open for reading bytes. Raises Stop when it is no longer the one that was found."""
    handles: list[int] = []
    try:
        handles.append(os.open(file.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for part in file.parts[:-1]:
            handles.append(os.open(part, _FOLDER, dir_fd=handles[-1]))
        handle = os.open(file.parts[-1], _FILE, dir_fd=handles[-1])
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise _odd(file.name)
        with os.fdopen(handle, "rb") as stream:
            yield stream
    except PermissionError:
        raise _forbidden(file.name) from None
    except OSError as error:
        raise Stop(
            f"{file.name} cannot be read (error {error.errno}).",
            hint="Check the file and the disk, and run again",
        ) from None
    finally:
        for one in handles:
            os.close(one)


def _below(
    folder: int, root: Path, above: tuple[str, ...], parts: tuple[str, ...], fixed: int
) -> Iterator[Found]:
    part, rest = parts[0], parts[1:]
    for name in _names(folder, part):
        here = (*above, name)
        try:
            info = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(info.st_mode) or not name.isprintable():
            raise _odd("/".join(here))
        if rest and stat.S_ISDIR(info.st_mode):
            try:
                inner = os.open(name, _FOLDER, dir_fd=folder)
            except PermissionError:
                raise _forbidden("/".join(here)) from None
            try:
                yield from _below(inner, root, here, rest, fixed)
            finally:
                os.close(inner)
        elif not rest and stat.S_ISREG(info.st_mode):
            yield Found("/".join(here[fixed:]), here, root, info.st_size, info.st_mtime_ns)
        elif not rest and not stat.S_ISDIR(info.st_mode):
            raise _odd("/".join(here))


def _fixed(parts: tuple[str, ...]) -> int:
    wild = next((n for n, part in enumerate(parts) if _WILD.search(part)), len(parts))
    return min(wild, len(parts) - 1)


def _names(folder: int, part: str) -> list[str]:
    if not _WILD.search(part):
        return [part]
    # A leading dot is how copying tools mark a file that is not whole yet.
    return [
        name
        for name in sorted(os.listdir(folder))
        if fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))
    ]


def _outside(pattern: str, folder: Path) -> ConfigError:
    return ConfigError(
        f"The path {pattern!r} is not below {folder}.",
        hint="Move the files below the project folder, or set the option root to their folder",
    )


def _odd(name: str) -> Stop:
    return Stop(
        f"{name!a} is a link, a pipe, a device, or has an unprintable name.",
        hint="Put the file itself there; links are not followed",
    )


def _forbidden(name: str) -> Stop:
    return Stop(f"{name} may not be read.", hint="Give this user read permission on it")
