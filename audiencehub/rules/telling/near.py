"""Distances, in words."""

from __future__ import annotations

from decimal import Decimal

from audiencehub.rules.evaluate import Evaluation
from audiencehub.rules.language.form import Near
from audiencehub.rules.plain.clause import Clause
from audiencehub.rules.telling.change import Flip


def text(node: Near) -> str:
    """`within 50 km of 52.52, 13.4`; the account's place is said to be so."""
    whose = "account " if node.scope == "account" else ""
    far = " and ".join(_length(one.value) for one in node.tests.checks)
    return f"{whose}within {far} of {node.latitude}, {node.longitude}"


def seen(clause: Clause) -> str:
    """`61.2 km`, or that the place is unknown."""
    return "unknown place" if clause.value is None else _length(clause.value)


def flip(clause: Clause, _: Evaluation) -> Flip:
    """How far away it would have to be."""
    node = clause.node
    assert isinstance(node, Near)
    said = f"no longer {text(node)}" if clause.verdict else text(node)
    return Flip(2.0, (f"{said} (now {seen(clause)})",))


def _length(value: object) -> str:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    shown = f"{exact.quantize(Decimal('0.1')):f}"
    return f"{shown.removesuffix('.0')} km"
