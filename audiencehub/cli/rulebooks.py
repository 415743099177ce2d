"""Rule books that do not stand in the rules folder: with a draft beside it, or as git had it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from audiencehub.errors import ConfigError, Fault, Faults
from audiencehub.opening import load_rules
from audiencehub.rules import RuleBook
from audiencehub.settings import Settings

YAML = (".yaml", ".yml")
FOLDER = "rules"


def book_of(settings: Settings, rule: str) -> tuple[RuleBook, str]:
    """The book that a rule is tried in, and the rule's id. `rule` is an id, or the path of a file
    that need not lie among the rules yet: it joins them, in place of one of the same name.

    Raises Faults for wrong rules, ConfigError for a rule that is nowhere.
    """
    path = Path(rule)
    if path.suffix not in YAML:
        return _known(load_rules(settings), rule)
    if not path.is_file():
        raise ConfigError(
            f"There is no file {rule}.", hint="Give the path of a rule file, or a segment's id"
        )
    folder = settings.rules_folder
    if path.resolve().is_relative_to(folder.resolve()):
        return _known(load_rules(settings), path.stem)
    files = {
        one.relative_to(folder).as_posix(): one.read_bytes()
        for one in (sorted(folder.rglob("*")) if folder.is_dir() else ())
        if one.suffix in YAML and one.stem != path.stem
    }
    files[path.name] = path.read_bytes()
    return _known(_book(settings, files, {path.name: rule}), path.stem)


def _known(book: RuleBook, name: str) -> tuple[RuleBook, str]:
    if name in book.segments:
        return book, name
    if name in book.ladders:
        rungs = ", ".join(one.segment for one in book.ladders[name].rungs)
        raise ConfigError(f"{name} is a ladder of segments.", hint=f"Use one of: {rungs}")
    near = get_close_matches(name, book.segments, 1)
    hint = f"Did you mean {near[0]}?" if near else f"Use one of: {', '.join(book.segments)}"
    raise ConfigError(f"There is no segment {name!r}.", hint=hint)


def book_at(settings: Settings, revision: str) -> RuleBook:
    """The rules as a git revision has them, read under the settings of today.

    Raises ConfigError outside a repository and for a revision that is not there, Faults when the
    rules of then cannot be read.
    """
    root = settings.root
    try:
        folder = settings.rules_folder.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        raise ConfigError(
            f"The rules at {settings.rules_folder} lie outside the project.",
            hint="--against needs them in the project's git repository",
        ) from None
    if _git(root, "rev-parse", "--is-inside-work-tree").strip() != b"true":
        raise ConfigError(
            f"{root.resolve()} is in no git repository.",
            hint="Run it in a clone, or leave --against out",
        )
    asked = f"{revision}^{{commit}}"
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", asked)
    if not commit:
        raise ConfigError(
            f"git knows no revision {revision!r} here.",
            hint=f"Use a branch, a tag or a commit; git log --oneline -- {folder} lists them",
        )
    name = commit.decode().strip()
    listed = _git(root, "ls-tree", "-r", "-z", "--name-only", name, "--", f"./{folder}")
    paths = [one for one in listed.decode().split("\0") if PurePosixPath(one).suffix in YAML]
    if not paths:
        raise ConfigError(
            f"There are no rules in {folder} at {revision}.",
            hint=f"Use a later revision; git log --oneline -- {folder} lists them",
        )
    files = {
        PurePosixPath(one).relative_to(folder).as_posix(): _git(root, "show", f"{name}:./{one}")
        for one in paths
    }
    shown = {one: f"{revision}:{folder}/{one}" for one in files}
    return _book(settings, files, shown)


def _git(root: Path, *words: str) -> bytes:
    """What git answers; empty when it refuses."""
    # Hooks and rebases set these; the project's own repository is meant.
    own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the words are ours
            ["git", *words],  # noqa: S607 - the user's own git
            cwd=root,
            capture_output=True,
            check=False,
            env={**own, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise ConfigError(
            "git is not installed.", hint="Install git, or leave --against out"
        ) from None
    return done.stdout if done.returncode == 0 else b""


def _book(settings: Settings, files: Mapping[str, bytes], shown: Mapping[str, str]) -> RuleBook:
    """The book of these files, by path below the rules folder; faults say `shown` paths."""
    with _folder(files) as root:
        moved = settings.model_copy(update={"root": root, "rules": Path(FOLDER)})
        try:
            return load_rules(moved)
        except Faults as error:
            raise Faults([_shown(one, shown, settings) for one in error.faults]) from None


def _shown(fault: Fault, shown: Mapping[str, str], settings: Settings) -> Fault:
    own = fault.path.removeprefix(f"{FOLDER}/")
    path = shown.get(own, f"{settings.rules.as_posix()}/{own}")
    return Fault(path, fault.line, fault.message, fault.hint)


@contextmanager
def _folder(files: Mapping[str, bytes]) -> Iterator[Path]:
    with TemporaryDirectory(prefix="audiencehub-rules-") as name:
        root = Path(name)
        for own, content in files.items():
            path = root / FOLDER / own
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (root / FOLDER).mkdir(exist_ok=True)
        yield root
