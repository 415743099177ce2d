"""What every verb shares: options, console, progress, and how an error is shown."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from audiencehub.disk import plainly
from audiencehub.errors import HubError

Env = Annotated[str, typer.Option("--env", help="Environment: deployments/<env>.toml")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress")]

WIDTH = 100
console = Console(width=None if sys.stdout.isatty() else WIDTH, soft_wrap=False, highlight=False)
stderr = Console(stderr=True, width=None if sys.stderr.isatty() else WIDTH, highlight=False)

P = ParamSpec("P")
R = TypeVar("R")


def verb(function: Callable[P, R]) -> Callable[P, R]:
    """A user's mistake, or a vendor's trouble, ends in its message and exit code; no traceback."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with plainly():
                return function(*args, **kwargs)
        except HubError as error:
            stderr.print(str(error), style="red", markup=False, soft_wrap=True)
            raise typer.Exit(error.exit_code) from None

    return run


def say(text: str = "", **kwargs: Any) -> None:
    """One line for a person."""
    console.print(text, **kwargs)


def fold(text: str, style: str | None = None, to: Console | None = None) -> None:
    """A line of data as it is, folded at the width with its own indent and a little more."""
    out = to or console
    indent = " " * (len(text) - len(text.lstrip()))
    lines = textwrap.wrap(
        text,
        out.width,
        initial_indent="",
        subsequent_indent=f"{indent}    ",
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines or [""]:
        out.print(line, style=style, markup=False, soft_wrap=True)


def emit(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[..., None]]:
    """A callback `(what, done, total)` that draws bars, or lines where there is no terminal."""
    if quiet:
        yield lambda *_: None
        return
    if not stderr.is_terminal:
        yield _lines()
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
        transient=True,
    ) as bars:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int = 0, total: int | None = None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show


def _lines() -> Callable[..., None]:
    seen: dict[str, int] = {}

    def show(what: str, done: int = 0, total: int | None = None) -> None:
        # One line when something starts and one for each doubling: a log, not a film.
        last = seen.get(what, -1)
        if last < 0 or done >= max(2 * last, 1000) or (total is not None and done == total > last):
            seen[what] = done
            amount = f"{done:,}" + (f" of {total:,}" if total else "")
            stderr.print(f"  {what}: {amount}", style="dim")

    return show
