"""Limits that settings set for segments: does each name a rule there is?"""

from __future__ import annotations

from difflib import get_close_matches

from audiencehub.errors import Fault
from audiencehub.rules import RuleBook
from audiencehub.settings import Settings, line_of


def unknown_segments(settings: Settings, book: RuleBook) -> list[Fault]:
    """A limit under a name that no rule has guards nobody."""
    said: list[tuple[str, ...]] = [("segments", name) for name in settings.segments]
    said += [
        ("targets", target, "segments", name)
        for target, entry in settings.targets.items()
        for name in entry.segments
    ]
    said += [
        ("targets", target)
        for target in settings.targets
        if target.partition("/")[2].startswith("list/")
    ]
    faults = []
    for keys in said:
        name = keys[-1].rpartition("/")[2]
        if name in book.segments:
            continue
        near = get_close_matches(name, book.segments, 1)
        hint = f"Did you mean {near[0]}?" if near else "Remove it, or add the rule"
        message = f"{'.'.join(keys)}: there is no segment {name}"
        faults.append(Fault(*line_of(settings, *keys), message, hint))
    return faults
