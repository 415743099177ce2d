"""`rank`: among the first by a field, overall or within a group."""

from __future__ import annotations

import re
from decimal import Decimal

from audiencehub.model import Entity
from audiencehub.rules.language.form import FieldTest, Rank
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.named import GROUPS, ORDERED, UNTESTED, named
from audiencehub.rules.load.tree import Map, Scalar, Tree

KEYS = ("by", "top", "bottom", "within")
_SHARE = re.compile(r"(100|[1-9]?[0-9])(\.[0-9]{1,4})?%")
_MOST = 1_000_000_000


def read_rank(desk: Desk, of: Entity, key: Scalar, node: Tree) -> Rank | None:
    """The leaf, or None and faults."""
    mapping = desk.mapping(node, "rank:")
    if mapping is None:
        return None
    faults = len(desk.faults)
    desk.only(mapping, "rank:", KEYS)
    by = ranked_by(desk, of, mapping) if len(desk.faults) == faults else None
    if by is None:
        return None
    ends = [one for one in ("top", "bottom") if mapping.get(one) is not None]
    if len(ends) != 1:
        hint = "Write top: 10, or bottom: 5%"
        desk.fault(mapping, "rank: needs either top or bottom", hint)
        return None
    size = mapping.get(ends[0])
    count, share = _size(desk, size) if size is not None else (None, None)
    within = grouped(desk, of, by, mapping)
    if len(desk.faults) > faults:
        return None
    scope: Entity = "account" if by.scope == "account" else "contact"
    return Rank(scope, by, ends[0] == "top", count, share, within, key.line)


def ranked_by(desk: Desk, of: Entity, mapping: Map) -> FieldTest | None:
    """The field or trait under `by`, or None and a fault."""
    by = mapping.get("by")
    if by is None:
        desk.fault(mapping, "rank: says not by what", "Add by: account.annual_revenue")
        return None
    return named(desk, of, by, "by:", ORDERED)


def grouped(desk: Desk, of: Entity, by: FieldTest | None, mapping: Map) -> FieldTest | None:
    """The field under `within`; for people also `account`, each account's own people."""
    within = mapping.get("within")
    if within is None or by is None:
        return None
    if isinstance(within, Scalar) and within.value == "account" and by.scope == "contact":
        return FieldTest("contact", "account_id", "integer", UNTESTED, within.line)
    return named(desk, "account" if by.scope == "account" else of, within, "within:", GROUPS)


def _size(desk: Desk, node: Tree) -> tuple[int | None, Decimal | None]:
    if isinstance(node, Scalar):
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST:
            return value, None
        if _SHARE.fullmatch(node.text) and (share := Decimal(node.text[:-1]) / 100):
            return None, share
    desk.fault(node, "a rank is a number from 1, or a share", "Write top: 10, or top: 10%")
    return None, None
