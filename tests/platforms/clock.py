"""The machine's clock, as the HTTP client sees it, with waits skipped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from audiencehub.http.clock import MachineClock

_skipped = [0.0]
"""Seconds not waited in this process. It only grows: limiters outlive whoever skips."""


@contextmanager
def skipping() -> Iterator[None]:
    """Nobody who asks the machine's clock waits while the block runs; it goes on as if they had."""
    monotonic, sleep = MachineClock.monotonic, MachineClock.sleep

    def skip(_: MachineClock, seconds: float) -> None:
        _skipped[0] += max(0.0, seconds)

    MachineClock.sleep = skip  # type: ignore[method-assign]
    MachineClock.monotonic = lambda one: monotonic(one) + _skipped[0]  # type: ignore[method-assign]
    try:
        yield
    finally:
        MachineClock.monotonic, MachineClock.sleep = monotonic, sleep  # type: ignore[method-assign]
