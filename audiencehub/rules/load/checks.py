"""The tests beside a field or an aggregate: scalar, list, or a mapping of operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from audiencehub.rules.language.catalog import near
from audiencehub.rules.language.form import Check, Span, Tests, Value
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.literals import literal, pattern, span
from audiencehub.rules.load.tree import Map, Scalar, Seq, Tree

_SAME = ("is", "is_not", "any_of", "none_of", "known")
_SIZE = ("at_least", "more_than", "at_most", "less_than", "between")
_TIME = ("before", "after", "between", "within", "older_than", "next")
_PART = ("contains", "starts_with", "ends_with", "matches")
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "text": (*_SAME, *_PART),
    "texts": _SAME,
    "integer": (*_SAME, *_SIZE),
    "number": (*_SAME, *_SIZE),
    "decimal": (*_SAME, *_SIZE),
    "money": (*_SAME, *_SIZE),
    "share": (*_SAME, *_SIZE),
    "boolean": ("is", "is_not", "known"),
    "date": (*_SAME, *_TIME),
    "instant": (*_SAME, *_TIME),
    "json": ("known",),
}
"""Which operators a field of each type has."""
WINDOW = ("before", "after", "between", "within", "older_than", "next")
"""Which operators may stand as the window of a leaf."""
_ALL = sorted({name for names in OPERATORS.values() for name in names})


def read_tests(
    desk: Desk, node: Tree, kind: str, what: str, skip: tuple[str, ...] = ()
) -> Tests | None:
    """The tests on a value of that type, or None and faults. `skip` are keys of the caller's."""
    if isinstance(node, Scalar | Seq):
        shorthand = "is" if isinstance(node, Scalar) else "any_of"
        if shorthand not in OPERATORS[kind]:
            desk.fault(node, f"{what} takes no such value", f"Use: {', '.join(OPERATORS[kind])}")
            return None
        check = read_check(desk, shorthand, node, kind)
        return Tests((check,)) if check else None
    if not isinstance(node, Map):
        return None
    checks: list[Check] = []
    or_unknown, faults = False, len(desk.faults)
    for key, value in node.entries:
        if key.text in skip:
            continue
        if key.text == "or_unknown":
            or_unknown = _true(desk, key, value)
        elif key.text not in OPERATORS[kind]:
            _refuse(desk, key, kind, what)
        elif check := read_check(desk, key.text, value, kind):
            checks.append(check)
    if len(desk.faults) > faults:
        return None
    if not checks:
        desk.fault(node, f"{what} has no test", f"Add one of: {', '.join(OPERATORS[kind])}")
        return None
    return Tests(tuple(checks), or_unknown)


def read_check(desk: Desk, op: str, node: Tree, kind: str) -> Check | None:
    """One operator with its literal, or None and a fault."""
    special: dict[str, Callable[[], Value | tuple[Value, ...] | None]] = {
        "known": lambda: literal(desk, node, "boolean"),
        "matches": lambda: pattern(desk, node),
        "between": lambda: _pair(desk, node, kind),
        "any_of": lambda: _many(desk, node, kind),
        "none_of": lambda: _many(desk, node, kind),
    }
    if op in special:
        value = special[op]()
    elif op in ("within", "older_than", "next"):
        value = _window(desk, node, kind)
    elif op in ("contains", "starts_with", "ends_with") and isinstance(node, Seq):
        value = _many(desk, node, kind)
    else:
        value = literal(desk, node, kind)
    return None if value is None else Check(op, value)


def _window(desk: Desk, node: Tree, kind: str) -> Span | None:
    found = span(desk, node)
    if found and found.exact and kind == "date":
        desk.fault(node, "a date has no hours", "Use days, weeks, months or years")
        return None
    return found


def _pair(desk: Desk, node: Tree, kind: str) -> tuple[Value, ...] | None:
    if not isinstance(node, Seq) or len(node.items) != 2:
        desk.fault(node, "between needs two values", "Write between: [low, high]")
        return None
    low, high = (literal(desk, one, kind) for one in node.items)
    if low is None or high is None:
        return None
    if low > high:  # type: ignore[operator]
        desk.fault(node, "between has its ends the wrong way round", "Write [low, high]")
        return None
    return (low, high)


def _many(desk: Desk, node: Tree, kind: str) -> tuple[Value, ...] | None:
    if not isinstance(node, Seq):
        one = literal(desk, node, kind)
        return None if one is None else (one,)
    values = [literal(desk, one, kind) for one in desk.items(node, "the list of values")]
    known = [value for value in values if value is not None]
    return tuple(dict.fromkeys(known)) if known and len(known) == len(values) else None


def _true(desk: Desk, key: Scalar, value: Tree) -> bool:
    if isinstance(value, Scalar) and value.value is True:
        return True
    desk.fault(key, "or_unknown can only be true", "Write or_unknown: true, or leave it out")
    return False


def _refuse(desk: Desk, key: Scalar, kind: str, what: str) -> None:
    if key.text in _ALL:
        message = f"{key.text!r} does not apply to {what} ({kind})"
        desk.fault(key, message, f"Use one of: {', '.join(OPERATORS[kind])}")
    else:
        hint = near(key.text, (*OPERATORS[kind], "or_unknown"))
        desk.fault(key, f"{key.text!r} is no test of {what}", hint)
