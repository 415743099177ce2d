"""`occasion`: a holiday, a yearly date, or the local time of day and week."""

from __future__ import annotations

import re

from audiencehub.model import Entity
from audiencehub.rules.language.calendars import countries, is_feast, known
from audiencehub.rules.language.catalog import near
from audiencehub.rules.language.form import Check, Occasion, Span, Tests
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.literals import span
from audiencehub.rules.load.named import DATED, named
from audiencehub.rules.load.tree import Map, Scalar, Seq, Tree

KINDS = ("holiday", "yearly", "local_time")
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
GROUPS = {"weekdays": WEEK[:5], "weekend": WEEK[5:]}
TODAY = Check("within", Span(1, "day"))
WINDOWS = ("next", "within", "on")
_YEAR = {"day": 366, "week": 52, "month": 12, "year": 1}
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):00")


def read_occasion(desk: Desk, of: Entity, key: Scalar, node: Tree) -> Occasion | None:
    """The leaf, or None and faults."""
    mapping = desk.mapping(node, "occasion:")
    if mapping is None:
        return None
    kinds = [name for name in KINDS if mapping.get(name) is not None]
    if len(kinds) != 1:
        hint = "Write holiday: christmas_day, yearly: birth_date, or local_time: {…}"
        desk.fault(mapping, "occasion: needs one of holiday, yearly, local_time", hint)
        return None
    faults = len(desk.faults)
    readers = {"holiday": _holiday, "yearly": _yearly, "local_time": _local_time}
    found = readers[kinds[0]](desk, of, key, mapping)
    return found if len(desk.faults) == faults else None


def _holiday(desk: Desk, of: Entity, key: Scalar, mapping: Map) -> Occasion | None:
    desk.only(mapping, "occasion:", ("holiday", "country", *WINDOWS))
    node, country = mapping.get("holiday"), mapping.get("country")
    names: list[str] = []
    for one in node.items if isinstance(node, Seq) else (node,):
        said = desk.text(one, "holiday:") if one is not None else None
        if said is not None and said != "any" and not is_feast(said):
            desk.fault(one or key, f"{said!r} is no holiday", near(said, (*known(), "any")))
        names += [said] if said is not None else []
    code = ""
    if country is not None:
        code = desk.text(country, "country:") or ""
        if code and code not in countries():
            hint = "Write ISO 3166-1 alpha-2 such as DE"
            desk.fault(country, f"{code!r} has no calendar of holidays", hint)
    window = _window(desk, mapping)
    kept = () if "any" in names else tuple(sorted(set(names)))
    return Occasion(of, "holiday", kept, code, window=window, line=key.line)


def _yearly(desk: Desk, of: Entity, key: Scalar, mapping: Map) -> Occasion | None:
    desk.only(mapping, "occasion:", ("yearly", *WINDOWS))
    node = mapping.get("yearly")
    by = named(desk, of, node, "yearly:", DATED) if node is not None else None
    window = _window(desk, mapping)
    if by is None:
        return None
    scope: Entity = "account" if by.scope == "account" else "contact"
    return Occasion(scope, "yearly", by=by, window=window, line=key.line)


def _window(desk: Desk, mapping: Map) -> Tests | None:
    said = [(name, value) for name, value in mapping.entries if name.text in WINDOWS]
    if len(said) != 1:
        hint = "Add one of: next: 14 days, within: 3 days, on: today"
        desk.fault(mapping, "occasion: says not when, or twice", hint)
        return None
    name, value = said[0]
    if name.text == "on":
        if isinstance(value, Scalar) and value.value == "today":
            return Tests((TODAY,))
        desk.fault(value, "on: can only be today", "Write on: today, or next: 14 days")
        return None
    found = span(desk, value)
    if found is None:
        return None
    if found.exact or found.count > _YEAR[found.unit]:
        hint = "Use days, weeks or months, at most a year"
        desk.fault(value, f"an occasion cannot be {found} away", hint)
        return None
    return Tests((Check(name.text, found),))


def _local_time(desk: Desk, of: Entity, key: Scalar, mapping: Map) -> Occasion | None:
    desk.only(mapping, "occasion:", ("local_time",))
    node = mapping.get("local_time")
    body = desk.mapping(node, "local_time:") if node is not None else None
    if body is None:
        return None
    desk.only(body, "local_time:", ("days", "from", "until"))
    given = body.get("days")
    days = _days(desk, given) if given is not None else ()
    start, end = body.get("from"), body.get("until")
    hours = None
    if start is not None or end is not None:
        begin = _minutes(desk, start) if start is not None else 0
        until = _minutes(desk, end) if end is not None else 24 * 60
        if begin is not None and begin == until:
            desk.fault(body, "from and until are the same", "Leave both out for the whole day")
        hours = (begin or 0, until or 0)
    if given is None and hours is None:
        hint = 'Add days: weekdays, or from: "09:00" and until: "17:00"'
        desk.fault(body, "local_time: says neither days nor hours", hint)
    whole = hours == (0, 24 * 60)
    return Occasion(of, "local_time", days=days, hours=None if whole else hours, line=key.line)


def _days(desk: Desk, node: Tree) -> tuple[str, ...]:
    found: set[str] = set()
    for one in node.items if isinstance(node, Seq) else (node,):
        said = desk.text(one, "days:")
        if said is None:
            continue
        if said in GROUPS or said in WEEK:
            found.update(GROUPS.get(said, (said,)))
        else:
            desk.fault(one, f"{said!r} is no day of the week", near(said, (*WEEK, *GROUPS)))
    return tuple(day for day in WEEK if day in found) if len(found) < len(WEEK) else ()


def _minutes(desk: Desk, node: Tree) -> int | None:
    found = _TIME.fullmatch(node.text) if isinstance(node, Scalar) else None
    if found is None:
        desk.fault(node, "this is no time of day", 'Write "09:00", from "00:00" to "24:00"')
        return None
    return 24 * 60 if found[3] else int(found[1]) * 60 + int(found[2])
