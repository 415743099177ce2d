"""What a model is learnt of, in the file of the trait that shows its scores."""

from __future__ import annotations

from audiencehub.model import Entity
from audiencehub.rules.language.catalog import near
from audiencehub.rules.language.trait import Lesson
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.literals import span
from audiencehub.rules.load.tree import Map, Tree

LESSON_KEYS = ("learns", "horizon", "like")
LESSONS = ("conversion", "similarity")
LONGEST_DAYS = 365


def read_lesson(desk: Desk, of: Entity, mapping: Map) -> Lesson | None:
    """What the hub learns itself; None where nothing is said of it, or where it is wrong."""
    learns, horizon, like = (mapping.get(name) for name in LESSON_KEYS)
    if learns is None:
        for node in (horizon, like):
            if node is not None:
                desk.fault(node, "belongs to a model that is learnt here", "Add learns: conversion")
        return None
    if of == "account":
        desk.fault(learns, "models are learnt of contacts only", "Write of: contact")
    what = desk.text(learns, "learns")
    if what == "conversion":
        _never(desk, like, "like belongs to learns: similarity")
        return Lesson("conversion", _days(desk, horizon))
    if what == "similarity":
        _never(desk, horizon, "horizon belongs to learns: conversion")
        if like is None:
            desk.fault(learns, "similarity says not to whom", "Add like: <a segment of contacts>")
            return None
        seed = desk.text(like, "like")
        return Lesson("similarity", like=seed, line=like.line) if seed else None
    if what is not None:
        desk.fault(learns, f"{what!r} cannot be learnt", near(what, LESSONS))
    return None


def _never(desk: Desk, node: Tree | None, message: str) -> None:
    if node is not None:
        desk.fault(node, message, "Remove it")


def _days(desk: Desk, node: Tree | None) -> int:
    found = span(desk, node) if node is not None else None
    if node is None or found is None:
        return Lesson("conversion").horizon
    days = found.count * (7 if found.unit == "week" else 1)
    if found.unit not in ("day", "week") or not 0 < days <= LONGEST_DAYS:
        desk.fault(node, "is no horizon to learn for", "Write days, a year at most: 90 days")
    return days
