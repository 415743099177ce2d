"""Computed traits of some people or accounts, as the last evaluation left them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb

from audiencehub.model import Entity

Values = Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Traits:
    """What profiles need of traits; all empty before the first evaluation."""

    contact: Values = field(default_factory=dict)
    """Id to column to value."""
    account: Values = field(default_factory=dict)
    thresholds: Mapping[str, tuple[Decimal, ...]] = field(default_factory=dict)
    """As `Profile.thresholds` has them."""
    scores: Mapping[tuple[str, int], list[dict[str, Any]]] = field(default_factory=dict)
    """(entity, id) to the rows of `model_score`."""

    def of(self, contact: int | None, account: int | None) -> dict[str, Any]:
        """The traits of a contact with those of its account, or of an account."""
        shared = self.account.get(account, {}) if account is not None else {}
        own = self.contact.get(contact, {}) if contact is not None else {}
        return {**shared, **own}


def load_traits(connection: duckdb.DuckDBPyConnection, entity: Entity) -> Traits:
    """The traits of those whose ids stand in the registered table `asked`, and of the accounts
    of such contacts."""
    present = {
        row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    }
    people = "(SELECT id FROM asked)"
    accounts = f"(SELECT account_id FROM contact WHERE contact_id IN {people})"
    wanted: dict[Entity, str] = {"account": people}
    if entity == "contact":
        wanted = {"contact": people, "account": accounts}
    values: dict[str, Values] = {}
    for one, ids in wanted.items():
        if f"trait_{one}" in present:
            values[one] = _values(connection, one, ids)
    bounds = {}
    if "trait_threshold" in present:
        found = connection.execute("SELECT trait, grp, bounds FROM trait_threshold").fetchall()
        bounds = {f"{name}|{grp}" if grp else name: tuple(cuts) for name, grp, cuts in found}
    scores: dict[tuple[str, int], list[dict[str, Any]]] = {}
    if "model_score" in present:
        cursor = connection.execute(
            'SELECT entity, id, model, value, "at" FROM model_score WHERE entity = ? '
            f"AND id IN {people}",
            [entity],
        )
        for one, number, model, value, at in cursor.fetchall():
            row = {"entity": one, "id": number, "model": model, "value": value, "at": at}
            scores.setdefault((one, number), []).append(row)
    return Traits(values.get("contact", {}), values.get("account", {}), bounds, scores)


def _values(connection: duckdb.DuckDBPyConnection, entity: Entity, ids: str) -> Values:
    cursor = connection.execute(f"SELECT * FROM trait_{entity} WHERE {entity}_id IN {ids}")
    names = [one[0] for one in cursor.description or ()]
    return {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in cursor.fetchall()}
