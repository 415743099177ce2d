"""One literal of YAML as the value its field's type asks for."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from audiencehub.rules.language.catalog import near
from audiencehub.rules.language.form import Span, Value
from audiencehub.rules.language.patterns import BadPattern, translate
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.tree import Broken, Map, Scalar, Tree

_SPAN = re.compile(r"([1-9][0-9]{0,8}) (minute|hour|day|week|month|year)s?")
_MONEY = re.compile(r"([-+]?[0-9]{1,15}(?:\.[0-9]{1,2})?) ([A-Z]{3})")
_DATE = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
_CENTURY = {
    "minute": 52_560_000,
    "hour": 876_000,
    "day": 36_500,
    "week": 5_200,
    "month": 1_200,
    "year": 100,
}
_SHARE = re.compile(r"([-+]?[0-9]{1,6}(?:\.[0-9]{1,4})?) ?%")
_SIXTH = Decimal("0.000001")
_CENT = Decimal("0.01")
_LIMIT = Decimal(10) ** 15


def span(desk: Desk, node: Tree) -> Span | None:
    """A duration in words, of at most a hundred years."""
    if isinstance(node, Scalar):
        found = _SPAN.fullmatch(node.text)
        if found and int(found[1]) <= _CENTURY[found[2]]:
            return Span(int(found[1]), found[2])  # type: ignore[arg-type]
    if not isinstance(node, Broken):
        said = f"{node.text!r}" if isinstance(node, Scalar) else "this"
        desk.fault(node, f"{said} is no duration", "Write for example: 30 days, 6 hours, 1 month")
    return None


def literal(desk: Desk, node: Tree, kind: str) -> Value | None:
    """The value of a scalar for a field of that type, or None and a fault."""
    if not isinstance(node, Scalar):
        desk.fault(node, "one value is needed here", "Write a single value")
        return None
    if node.value is None:
        desk.fault(node, "null cannot be compared", "To find unknown values write {known: false}")
        return None
    reader = {
        "text": _text,
        "texts": _text,
        "boolean": _boolean,
        "integer": _integer,
        "number": _number,
        "decimal": _number,
        "money": _money,
        "share": _share,
        "date": _date,
        "instant": _date,
    }[kind]
    return reader(desk, node)


def pattern(desk: Desk, node: Tree) -> str | None:
    """A regular expression that every engine understands alike."""
    value = literal(desk, node, "text")
    if not isinstance(value, str):
        return None
    try:
        translate(value)
        _accepted_by_engine(value)
    except BadPattern as error:
        desk.fault(node, f"the pattern {error}", "Use literals, ., classes, groups, |, * + ?, ^ $")
        return None
    return value


def _accepted_by_engine(value: str) -> None:
    # RE2 bounds the size of a compiled pattern; one it refuses would fail the query of all rules.
    import duckdb

    try:
        with duckdb.connect() as connection:
            connection.execute("SELECT regexp_matches('', $p)", {"p": value}).fetchall()
    except duckdb.Error:
        raise BadPattern("is refused by the engine") from None


def _text(desk: Desk, node: Scalar) -> str | None:
    if isinstance(node.value, str):
        return node.value
    desk.fault(node, f"{node.text} is not text", f'Put it in quotes: "{node.text}"')
    return None


def _boolean(desk: Desk, node: Scalar) -> bool | None:
    if isinstance(node.value, bool):
        return node.value
    desk.fault(node, f"{node.text!r} is neither true nor false", "Write true or false")
    return None


def _integer(desk: Desk, node: Scalar) -> int | None:
    if isinstance(node.value, int) and not isinstance(node.value, bool) and _fits(node.value):
        return node.value
    desk.fault(node, f"{node.text!r} is no whole number", "Write digits only, for example: 1000")
    return None


def _number(desk: Desk, node: Scalar) -> int | Decimal | None:
    value = node.value
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and _fits(value):
        if isinstance(value, int) or -value.as_tuple().exponent <= 6:  # type: ignore[operator]
            return value
        desk.fault(node, f"{node.text} has more than six decimals", "Round it")
        return None
    desk.fault(node, f"{node.text!r} is no number", "Write digits without quotes or separators")
    return None


def _money(desk: Desk, node: Scalar) -> Decimal | None:
    value = node.value
    if isinstance(value, str) and (found := _MONEY.fullmatch(value)):
        if found[2] != desk.currency:
            desk.fault(
                node,
                f"amounts in {found[2]} are not available yet",
                f"Give the amount in the company's currency: {desk.currency}",
            )
            return None
        return Decimal(found[1])
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and _fits(value):
        amount = Decimal(value)
        if amount == amount.quantize(_CENT):
            return amount
    desk.fault(node, f"{node.text!r} is no amount", f"Write 500, or 500 {desk.currency}")
    return None


def _share(desk: Desk, node: Scalar) -> Decimal | None:
    found = _SHARE.fullmatch(node.text)
    if found:
        return Decimal(found[1]) / 100
    value = node.value
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and _fits(value):
        share = Decimal(value)
        if share == share.quantize(_SIXTH):
            return share
    desk.fault(node, f"{node.text!r} is no share", "Write -50%, or -0.5")
    return None


def _fits(value: int | Decimal) -> bool:
    return -_LIMIT < value < _LIMIT


def _date(desk: Desk, node: Scalar) -> date | None:
    if isinstance(node.value, str) and _DATE.fullmatch(node.value):
        try:
            return date.fromisoformat(node.value)
        except ValueError:
            pass
    hint = "Write a day such as 2026-11-16"
    if _SPAN.fullmatch(node.text):
        hint = f"For a window write {{within: {node.text}}}"
    desk.fault(node, f"{node.text!r} is no date", hint)
    return None


def choice(desk: Desk, mapping: Map, name: str, options: tuple[str, ...]) -> str | None:
    """The word under a key, one of the options, or None and a fault where it is another."""
    node = mapping.get(name)
    if node is None or isinstance(node, Broken):
        return None
    said = node.value if isinstance(node, Scalar) else None
    if said in options:
        return str(said)
    shown = node.text if isinstance(node, Scalar) else "this"
    desk.fault(node, f"{name}: {shown!r} is not known", near(shown, options))
    return None
