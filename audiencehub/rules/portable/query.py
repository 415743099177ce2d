"""One rule as one SELECT: its facts as named sub-queries, its condition as written.

WITH event_1 AS (the rows of one leaf, aggregated by owner)
SELECT c.contact_id AS id FROM contact AS c LEFT JOIN event_1 ON … WHERE …
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent

from audiencehub.model import Entity
from audiencehub.rules.book import RuleBook
from audiencehub.rules.language.catalog import CATALOG, Catalog
from audiencehub.rules.language.form import FieldTest
from audiencehub.rules.portable.dialect import Dialect
from audiencehub.rules.portable.text import clauses, lines
from audiencehub.rules.portable.values import Values
from audiencehub.rules.portable.verdicts import Verdicts

ALIAS: Mapping[Entity, str] = {"contact": "c", "account": "a"}


class Query:
    """What the parts of one statement share: its dialect, its values, its named sub-queries."""

    def __init__(
        self,
        book: RuleBook,
        dialect: Dialect,
        values: Values,
        catalog: Catalog = CATALOG,
        unfilled: frozenset[str] = frozenset(),
    ) -> None:
        self.book, self.dialect, self.catalog, self.unfilled = book, dialect, catalog, unfilled
        self.values, self.verdicts = values, Verdicts(dialect, values)
        self._named: dict[str, str] = {}

    def anew(self, values: Values) -> Query:
        """For another statement over the same book."""
        return Query(self.book, self.dialect, values, self.catalog, self.unfilled)

    def name(self, table: str) -> str:
        """A table, quoted where it must be."""
        return self.dialect.quoted(table)

    def column(self, alias: str, field: str) -> str:
        """A column of a table's alias."""
        return f"{alias}.{self.dialect.quoted(field)}"

    def bind(self, value: object) -> str:
        """The mark of a bound value."""
        return self.verdicts.bind(value)

    def sub(self, stem: str, sql: str) -> str:
        """The name of a sub-query; the same SQL is written once."""
        if sql not in self._named:
            taken = sum(one.rpartition("_")[0] == stem for one in self._named.values())
            self._named[sql] = f"{stem}_{taken + 1}"
        return self._named[sql]

    def statement(self, main: str) -> str:
        """The whole, with the sub-queries in front."""
        named = [f"{name} AS (\n{indent(sql, '  ')}\n)" for sql, name in self._named.items()]
        return clauses(f"WITH {', '.join(named)}" if named else "", main)


class Scope:
    """One entity's row and what is joined to it, while a condition on it is written."""

    def __init__(self, query: Query, entity: Entity) -> None:
        self.query, self.entity = query, entity
        self._joins: dict[str, str] = {}

    @property
    def id(self) -> str:
        """The entity's own id."""
        return f"{ALIAS[self.entity]}.{self.entity}_id"

    def alias(self, entity: Entity) -> str:
        """The alias of the entity's own row, or of its account's, which may be missing."""
        if entity == "account" and self.entity == "contact":
            self._joins.setdefault("a", "LEFT JOIN account AS a ON a.account_id = c.account_id")
        return ALIAS[entity]

    def key(self, owner: Entity) -> str:
        """The id of the entity or of its account."""
        return f"{self.alias(owner)}.{owner}_id"

    def field(self, test: FieldTest) -> str:
        """The column of a field or trait, of the entity or of its account."""
        owner: Entity = "account" if test.scope == "account" else "contact"
        if test.trait:
            return self.query.column(
                self.joined(f"trait_{owner}", owner, f"{owner}_id"), test.field
            )
        return self.query.column(self.alias(owner), test.field)

    def joined(self, name: str, owner: Entity, key: str = "owner_id") -> str:
        """A sub-query or table with at most one row an owner, joined; answers its alias."""
        table = self.query.name(name)
        self._joins.setdefault(name, f"LEFT JOIN {table} ON {table}.{key} = {self.key(owner)}")
        return table

    def source(self) -> str:
        """FROM the entity and all that was joined."""
        first = f"FROM {self.entity} AS {ALIAS[self.entity]}"
        return "\n".join([first, *self._joins.values()])


def selected(columns: list[str]) -> str:
    """A SELECT clause."""
    return lines("SELECT", columns)
