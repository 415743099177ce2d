"""An error that nobody foresaw: where it happened, in full; what it says, without values."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from audiencehub.http import redact

_QUOTED = re.compile(r"""(?P<mark>['"`]).*?(?P=mark)""", re.DOTALL)
"""Values stand in quotes where Python, the engines and the parsers tell of them."""


def told(error: BaseException) -> Iterator[str]:
    """The lines of a traceback, causes first. Values in messages are left out: a record that could
    not be read would stand in them as it is."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from told(before)
        yield "  … and then:"
    yield "Traceback (most recent call last):"
    for line in traceback.format_tb(error.__traceback__):
        yield from line.rstrip().splitlines()
    message = _QUOTED.sub("'…'", str(error))
    name = type(error).__name__
    yield from (redact(line) for line in f"{name}: {message}".rstrip(": ").splitlines())


@contextmanager
def told_plainly() -> Iterator[None]:
    """What the block raises ends the process here: the hook that typer sets shows all."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the last place that an error can reach
        sys.stderr.write("\n".join(told(error)) + "\n")
        sys.stderr.write("  -> A fault of audiencehub: report these lines, they name nobody\n")
        sys.exit(1)
