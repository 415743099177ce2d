"""What settings and arguments refer to: a secret by its reference, an instant by its text."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.errors import ConfigError
from audiencehub.settings.whole import Settings


def secret(settings: Settings, entry: str, options: Mapping[str, Any]) -> Callable[[str], str]:
    """A resolver of the entry's credentials by option name."""

    def resolve(name: str) -> str:
        reference = options.get(name)
        if isinstance(reference, Mapping) and set(reference) == {"env"}:
            value = os.environ.get(str(reference["env"]), "")
            if value:
                return value
            searched = f"environment variable {reference['env']} (unset or empty)"
        elif isinstance(reference, Mapping) and set(reference) == {"file"}:
            path = Path(str(reference["file"])).expanduser()
            if path.is_file():
                if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise ConfigError(
                        f"{path} can be read by others.", hint=f"Run: chmod 600 {path}"
                    )
                return path.read_text("utf-8").strip()
            searched = f"file {path} (absent)"
        else:
            searched = f"option {name} of {entry} (no reference)"
        if settings.sandbox is not None:
            return f"sandbox-{name}"
        raise ConfigError(
            f"No value for {name} of {entry}. Searched: {searched}.",
            hint=f"Set it in deployments/{settings.env}.toml as {name} = "
            '{ env = "NAME" } and export NAME',
        )

    return resolve


def instant(text: str, zone: ZoneInfo) -> datetime:
    """`2015-08-01` (the end of that day in the zone) or an ISO instant with offset, as UTC."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone).astimezone(UTC)
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise ConfigError(
            f"{text!r} is no date.", hint="Write 2026-11-16, or 2026-11-16T08:00:00+00:00"
        )
    return when.astimezone(UTC)
