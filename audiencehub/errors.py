"""Every error raised on purpose, grouped by what happens next.

    HubError
    ├── ConfigError        the user corrects a file or an argument (exit 2)
    │   └── Faults         … several at once, each with file:line
    ├── Stop               this connector cannot go on; a person must act (credentials, scopes)
    ├── Wait               nothing is wrong that time does not cure (rate limit, outage)
    ├── OutcomeUnknown     a write was on the wire and no answer came: it may have been applied
    ├── BatchRefused       the destination refused a whole batch because of some row in it
    ├── Incomplete         a pull ended without proof that everything was read
    ├── SkipRow            one record cannot be used; it goes to quarantine, the rest go on
    └── Held               a plan waits for approval (exit 3)

A message never carries a response body or a person's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class HubError(Exception):
    """Root of every error raised on purpose. The hint is an instruction, not an apology."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(f"{message}\n  -> {hint}")
        self.message = message
        self.hint = hint


class ConfigError(HubError):
    """A file, a setting or an argument is wrong; nothing was started."""

    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a file of the user's."""

    path: str
    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" + (
            f"\n  -> {self.hint}" * bool(self.hint)
        )


class Faults(ConfigError):
    """All faults of the files read, at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        count = len(self.faults)
        super().__init__(
            "\n".join(str(fault) for fault in self.faults),
            hint=f"{count} fault{'s' * (count != 1)}; correct them and run: audiencehub check",
        )


class Stop(HubError):
    """This connector cannot go on until a person acts; others proceed."""


class Wait(HubError):
    """The other side asks for time. `seconds` is its own word where it gave one."""

    def __init__(self, message: str, *, hint: str, seconds: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.seconds = seconds


class OutcomeUnknown(HubError):
    """A write got no answer, or an answer that cannot be read: it may have been applied."""


class BatchRefused(HubError):
    """The destination refused a whole batch; at least one of its rows is to blame."""


class Incomplete(HubError):
    """A pull ended without proof that all was read; what came is kept, nothing is removed."""


class SkipRow(HubError):
    """One record cannot be used. `code` is a short stable word that quarantine groups by."""

    def __init__(self, message: str, *, hint: str, code: str) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class Held(HubError):
    """A plan waits for a person's approval; nothing of it was sent."""

    exit_code = 3
