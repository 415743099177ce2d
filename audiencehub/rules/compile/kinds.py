"""How each kind of leaf is compiled: at whose grain, by what default, by which SQL."""

from __future__ import annotations

from audiencehub.model import Entity
from audiencehub.rules.compile.bind import Binder
from audiencehub.rules.compile.checks import holds_for_none, tests_sql
from audiencehub.rules.compile.near import near_sql
from audiencehub.rules.compile.occasion import occasion_sql, reads_account
from audiencehub.rules.compile.past import past_sql
from audiencehub.rules.compile.rank import rank_sql
from audiencehub.rules.compile.rows import without_rows
from audiencehub.rules.compile.sequence import sequence_sql
from audiencehub.rules.compile.words import quoted
from audiencehub.rules.language.catalog import Catalog
from audiencehub.rules.language.form import (
    FieldTest,
    Grouped,
    Leaf,
    Near,
    Occasion,
    OverRow,
    Past,
    Rank,
    Rows,
    Sequence,
    Strength,
    Trend,
)


def grain(leaf: Leaf) -> Entity:
    """The entity at whose grain a leaf is evaluated."""
    if isinstance(leaf, FieldTest):
        return "account" if leaf.scope == "account" else "contact"
    return leaf.scope if isinstance(leaf, Near | Occasion | Rank) else leaf.owner


def default(leaf: Leaf) -> bool:
    """The verdict for an entity of which nothing is known."""
    if isinstance(leaf, FieldTest | Near | Trend | Strength):
        return holds_for_none(leaf.tests)
    if isinstance(leaf, Rows):
        return without_rows(leaf)
    return False


def reads(leaf: Leaf) -> frozenset[str]:
    """The tables of facts that decide the leaf; none for a leaf over something else."""
    if isinstance(leaf, Sequence):
        return frozenset(one.table for one in (leaf.first, *leaf.then))
    return frozenset({leaf.table}) if isinstance(leaf, Grouped) else frozenset()


def unknown(leaf: Leaf) -> bool:
    """The verdict where no source fills what the leaf reads."""
    if isinstance(leaf, Rows):
        return holds_for_none(leaf.aggregate.tests)
    return isinstance(leaf, Trend | Strength) and holds_for_none(leaf.tests)


def over_row(leaf: OverRow, bind: Binder) -> str:
    """The verdict, true or false, from the entity's own row `e` and its traits `t`."""
    if isinstance(leaf, FieldTest):
        column = f"{'t' if leaf.trait else 'e'}.{quoted(leaf.field)}"
        return tests_sql(leaf.tests, column, leaf.type, bind)
    return near_sql(leaf, bind) if isinstance(leaf, Near) else occasion_sql(leaf, bind)


def reads_traits(leaf: Leaf) -> bool:
    """Whether `over_row` reads the traits `t`."""
    field = leaf.by if isinstance(leaf, Occasion) else leaf
    return isinstance(field, FieldTest) and field.trait


def reads_account_row(leaf: Leaf) -> bool:
    """Whether `over_row` of a contact reads the row `a` of the account."""
    return isinstance(leaf, Occasion) and reads_account(leaf)


def scan(leaf: Leaf, bind: Binder, catalog: Catalog) -> str:
    """SELECT owner_id of the entities whose verdict differs from the default, each once."""
    if isinstance(leaf, Rank):
        return rank_sql(leaf, bind)
    if isinstance(leaf, Past):
        return past_sql(leaf, bind)
    if isinstance(leaf, Sequence):
        return sequence_sql(leaf, bind, catalog)
    raise NotImplementedError(type(leaf).__name__)
