"""Reads `deployments/<env>.toml`; all its faults at once, each with its line."""

from __future__ import annotations

import os
import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from audiencehub.canonical import CustomField
from audiencehub.errors import ConfigError, Fault, Faults
from audiencehub.settings.alerts import Alerts
from audiencehub.settings.tables import (
    Audit,
    Company,
    DestinationEntry,
    Guards,
    Identity,
    Retention,
    Sandbox,
    SegmentEntry,
    SegmentGuards,
    SourceEntry,
    TargetEntry,
    TargetGuards,
)
from audiencehub.settings.whole import Settings


def load(env: str, root: Path | None = None) -> Settings:
    """The settings of an environment. Raises ConfigError listing every place searched."""
    root = (root or find_root()).resolve()
    path = root / "deployments" / f"{env}.toml"
    if not re.fullmatch(r"[a-z0-9_-]+", env) or not path.is_file():
        known = sorted(p.stem for p in (root / "deployments").glob("*.toml"))
        raise ConfigError(
            f"There is no environment {env!r}; looked for {path}.",
            hint=f"Use --env with one of: {', '.join(known) or 'none found'}; or copy "
            "deployments/prod.example.toml",
        )
    shown = str(path.relative_to(root))
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        found = re.search(r"line (\d+)", str(error))
        raise Faults(
            [Fault(shown, int(found[1]) if found else 1, f"is not TOML: {error}")]
        ) from None
    try:
        return Settings(**{**data, "env": env, "root": root})
    except ValidationError as error:
        raise Faults([_fault(shown, text, one) for one in error.errors()]) from None


def line_of(settings: Settings, *keys: str) -> tuple[str, int]:
    """The settings file, below the project, and the line where this key stands."""
    path = settings.root / "deployments" / f"{settings.env}.toml"
    return f"deployments/{settings.env}.toml", _line(path.read_text("utf-8"), list(keys))


def find_root(start: Path | None = None) -> Path:
    """The project folder: the nearest parent that has `deployments/`."""
    here = (start or Path(os.environ.get("AUDIENCEHUB_HOME") or Path.cwd())).resolve()
    for folder in (here, *here.parents):
        if (folder / "deployments").is_dir():
            return folder
    raise ConfigError(
        f"No deployments/ folder in {here} or above it.",
        hint="Run audiencehub inside the project, or set AUDIENCEHUB_HOME to its folder",
    )


def _fault(path: str, text: str, error: Any) -> Fault:
    keys = [str(part) for part in error["loc"] if part != "[key]"]
    line = _line(text, keys)
    message = f"{'.'.join(keys)}: {error['msg'].removeprefix('Value error, ')}"
    hint = ""
    if error["type"] == "extra_forbidden":
        near = get_close_matches(keys[-1], _keys_at(keys[:-1]), 1)
        message = f"{'.'.join(keys)} is not a setting"
        hint = f"Did you mean {near[0]}?" if near else "Remove it"
    return Fault(path, line, message, hint)


def _keys_at(keys: list[str]) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "company": Company,
        "sources": SourceEntry,
        "destinations": DestinationEntry,
        "guards": Guards,
        "identity": Identity,
        "audit": Audit,
        "targets": TargetEntry,
        "segments": SegmentEntry,
        "sandbox": Sandbox,
        "custom": CustomField,
        "alerts": Alerts,
        "retention": Retention,
    }
    if keys[-1:] == ["guards"] and len(keys) > 1:
        return list((SegmentGuards if "segments" in keys else TargetGuards).model_fields)
    return list((models.get(keys[0], Settings) if keys else Settings).model_fields)


def _line(text: str, keys: list[str]) -> int:
    """The line of a dotted key: the deepest table header that matches, then the key below it."""
    lines = text.splitlines()
    start = 0
    for depth in range(len(keys), 0, -1):
        header = re.compile(
            r"\s*\[" + r"\.".join(f'"?{re.escape(k)}"?' for k in keys[:depth]) + r"[].]"
        )
        start = next((n for n, line in enumerate(lines) if header.match(line)), 0)
        if start:
            break
    name = rf'"?{re.escape(keys[-1])}"?\s*='
    own, inline = re.compile(rf"\s*{name}"), re.compile(rf"[{{,]\s*{name}")
    end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("[")), len(lines))
    here, below = range(start, end), range(end, len(lines))
    for part, found in ((here, own.match), (here, inline.search), (below, own.match)):
        at = next((n for n in part if found(lines[n])), None)
        if at is not None:
            return at + 1
    return start + 1
