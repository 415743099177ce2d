"""When models are learnt: with the first run of a day, of what was known when the day began."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from audiencehub.ledger import Ledger
from audiencehub.predict.features import Ids
from audiencehub.predict.scores import Model, Scored, refresh
from audiencehub.rules import RuleBook
from audiencehub.rules.language.trait import Score
from audiencehub.warehouse import Warehouse
from audiencehub.warehouse.touched import mark_all

LEARNT = "models_learnt"


def models_of(book: RuleBook) -> tuple[Model, ...]:
    """The models that traits of the book ask the hub to learn, each once, by name."""
    return tuple(sorted(set(_models(book)), key=lambda one: one.id))


def _models(book: RuleBook) -> Iterator[Model]:
    for trait in book.traits.values():
        for column in trait.columns:
            if isinstance(column.body, Score) and column.body.learns is not None:
                lesson = column.body.learns
                yield Model(column.body.model, lesson.what, lesson.horizon, lesson.like)


def learn_daily(
    warehouse: Warehouse, ledger: Ledger, book: RuleBook, clock: datetime
) -> list[Scored]:
    """Learn and score where that has not been done on the clock's day; empty where it has.

    A seed is who was a member when the day began, by the log of memberships: so that every run of
    a day, and a rebuild within it, finds the same. Inside the caller's transaction.
    """
    models = models_of(book)
    day = clock.astimezone(book.zone).date()
    mark = f"{day} {models}"
    if warehouse.get(LEARNT) == mark:
        return []
    began = datetime(day.year, day.month, day.day, tzinfo=book.zone)
    found = refresh(
        warehouse.connection, models, day, book.zone, lambda one: _members(ledger, one, began)
    )
    warehouse.set(LEARNT, mark)
    mark_all(warehouse.connection)
    return found


def _members(ledger: Ledger, segment: str, at: datetime) -> Ids:
    ids = {
        one.id
        for one in ledger.stays.of("contact", [segment])
        if one.entered_at < at and (one.left_at is None or one.left_at >= at)
    }
    return np.asarray(sorted(ids), dtype=np.int32)
