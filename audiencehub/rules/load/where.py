"""`where`: which rows of a table count."""

from __future__ import annotations

from audiencehub.rules.language.catalog import TREE
from audiencehub.rules.language.form import All, Any_, FieldTest, Node, Not
from audiencehub.rules.load.checks import read_tests
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.tree import Scalar, Tree


def row_condition(desk: Desk, table: str, node: Tree) -> Node | None:
    """`where`: fields of a row, all of which must hold; all, any and not nest inside."""
    mapping = desk.mapping(node, "where")
    if mapping is None:
        return None
    if not mapping.entries:
        desk.fault(node, "where is empty", "Add a field, or leave where out")
        return None
    parts = [_row_part(desk, table, key, value) for key, value in mapping.entries]
    kept = tuple(part for part in parts if part is not None)
    if len(kept) != len(parts):
        return None
    return kept[0] if len(kept) == 1 else All(kept, node.line)


def _row_part(desk: Desk, table: str, key: Scalar, value: Tree) -> Node | None:
    if key.text in ("all", "any"):
        parts = [row_condition(desk, table, one) for one in desk.items(value, f"{key.text}:")]
        kept = tuple(part for part in parts if part is not None)
        if not kept or len(kept) != len(parts):
            return None
        return All(kept, key.line) if key.text == "all" else Any_(kept, key.line)
    if key.text == "not":
        part = row_condition(desk, table, value)
        return None if part is None else Not(part, key.line)
    field = desk.catalog.field(table, key.text)
    if field is None:
        desk.unknown(key, f"field of {table}", (*desk.catalog.names(table), *TREE))
        return None
    tests = read_tests(desk, value, field.type, key.text)
    return FieldTest(table, key.text, field.type, tests, key.line) if tests else None
