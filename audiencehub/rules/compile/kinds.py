"""How each kind of leaf is compiled: at whose grain, by what default, by which SQL."""

from __future__ import annotations

from audiencehub.model import Entity
from audiencehub.rules.compile.bind import Binder
from audiencehub.rules.compile.checks import holds_for_none, tests_sql
from audiencehub.rules.compile.rows import without_rows
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.catalog import Catalog
from audiencehub.rules.language.form import FieldTest, Leaf, Near, Occasion, OverRow, Rank, Rows


def grain(leaf: Leaf) -> Entity:
    """The entity at whose grain a leaf is evaluated."""
    if isinstance(leaf, FieldTest):
        return "account" if leaf.scope == "account" else "contact"
    return leaf.scope if isinstance(leaf, Near | Occasion | Rank) else leaf.owner


def default(leaf: Leaf) -> bool:
    """The verdict for an entity of which nothing is known."""
    if isinstance(leaf, FieldTest):
        return holds_for_none(leaf.tests)
    if isinstance(leaf, Rows):
        return without_rows(leaf)
    raise NotImplementedError(type(leaf).__name__)


def over_row(leaf: OverRow, bind: Binder) -> str:
    """The verdict, true or false, from the entity's own row `e` and its traits `t`."""
    if isinstance(leaf, FieldTest):
        column = f"{'t' if leaf.trait else 'e'}.{quoted(leaf.field)}"
        return tests_sql(leaf.tests, column, leaf.type, bind)
    raise NotImplementedError(type(leaf).__name__)


def scan(leaf: Leaf, bind: Binder, catalog: Catalog) -> str:
    """SELECT owner_id of the entities whose verdict differs from the default, each once."""
    raise NotImplementedError(type(leaf).__name__)
