"""What settings say of segments by name: is there a rule of that name?"""

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
    return faults + _misranked(settings, book)


def _misranked(settings: Settings, book: RuleBook) -> list[Fault]:
    """A segment in a priority that is none, or no list there, ranks nothing."""
    faults = []
    for name, one in settings.priorities.items():
        where = line_of(settings, "priorities", name)
        for segment in one.segments:
            if segment not in book.segments:
                near = get_close_matches(segment, book.segments, 1)
                hint = f"Did you mean {near[0]}?" if near else "Remove it, or add the rule"
                message = f"priorities.{name}: there is no segment {segment}"
                faults.append(Fault(*where, message, hint))
                continue
            lists = {a.to for a in book.segments[segment].activate if a.kind == "list"}
            if not lists & set(one.destinations):
                message = f"priorities.{name}: {segment} is no list at {one.destinations[0]}"
                hint = f"Add {{to: {one.destinations[0]}, as: list}} to its activate, or remove it"
                faults.append(Fault(*where, message, hint))
    return faults
