"""How many requests went out: every try counts, for every try costs quota."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """Requests sent since the block began, by the thread that opened it."""

    requests: int = 0


_METERS: ContextVar[tuple[Meter, ...]] = ContextVar("meters", default=())


@contextmanager
def metered() -> Iterator[Meter]:
    """Count the requests of this block. Blocks nest; each counts what is sent inside it."""
    meter = Meter()
    token = _METERS.set((*_METERS.get(), meter))
    try:
        yield meter
    finally:
        _METERS.reset(token)


def sent() -> None:
    """One request is about to go out."""
    for meter in _METERS.get():
        meter.requests += 1
