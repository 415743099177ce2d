"""Once a day each model is trained anew and everyone it is about gets a score."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from audiencehub.predict.features import Connection, Features, Ids, features_at, stored
from audiencehub.predict.labels import customers_at, not_yet_customers
from audiencehub.predict.training import Learned, learn

Seeds = Callable[[str], Ids]


@dataclass(frozen=True, slots=True)
class Model:
    """One question: will this person buy, or how like a segment's members are they?"""

    id: str
    """The trait that shows the score."""
    learns: Literal["conversion", "similarity"]
    horizon: int = 90
    """Conversion: days within which it counts."""
    like: str = ""
    """Similarity: the segment of contacts whose members are the seed."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of one model."""

    model: str
    day: date
    """Nothing dated on this day or later was read."""
    scored: int
    auc: float | None
    """Of held-out people; None where nothing could be learnt."""
    people: int
    positives: int
    weights: tuple[tuple[str, float], ...]
    note: str
    """Why there are no scores, or empty."""

    def __str__(self) -> str:
        if self.auc is None:
            return f"model {self.model}: no scores, {self.note}"
        return (
            f"model {self.model}: held-out AUC {self.auc:.2f}; learnt from {self.positives:,} "
            f"examples among {self.people:,} people, before {self.day}; {self.scored:,} scored"
        )


def refresh(
    connection: Connection, models: Iterable[Model], day: date, zone: ZoneInfo, seeds: Seeds
) -> list[Scored]:
    """Train and score, from data dated before the day (in the zone), into `model_score`.

    `seeds` gives the contact ids of a segment. Scores are numbers from 0 to 1 with four decimals;
    a person whom the model is not about has none. Rows of other models stay.
    """
    at = _midnight(day, zone)
    now = features_at(connection, at)
    out = []
    for model in models:
        if model.learns == "conversion":
            learned, asked = _conversion(connection, model, now, day, zone)
        else:
            learned, asked = _similarity(model, now, seeds(model.like))
        out.append(_write(connection, model, learned, asked, at, day))
    return out


def _conversion(
    connection: Connection, model: Model, now: Features, day: date, zone: ZoneInfo
) -> tuple[Learned | str, Features]:
    """Who was no customer one horizon ago, and became one since."""
    then = _midnight(day - timedelta(days=model.horizon), zone)
    at = _midnight(day, zone)
    before = features_at(connection, then).only(not_yet_customers(connection, then))
    learned = learn(before, customers_at(connection, at), model.id)
    return learned, now.only(not_yet_customers(connection, at))


def _similarity(model: Model, now: Features, seed: Ids) -> tuple[Learned | str, Features]:
    """Members of the seed are no lookalikes of themselves: they are learnt from, not scored."""
    others = np.setdiff1d(now.ids, seed)
    if not len(seed):
        return f"nobody was in {model.like} when the day began; learnt with a later day", now
    return learn(now, seed, model.id), now.only(others)


def _write(
    connection: Connection,
    model: Model,
    learned: Learned | str,
    asked: Features,
    at: datetime,
    day: date,
) -> Scored:
    connection.execute("DELETE FROM model_score WHERE model = ?", [model.id])
    if isinstance(learned, str):
        return Scored(model.id, day, 0, None, 0, 0, (), learned)
    table = pa.table({"id": asked.ids, "value": learned.score(asked)})
    connection.register("stage_score", table)
    connection.execute(
        "INSERT INTO model_score SELECT 'contact', id, ?, value, ? FROM stage_score ORDER BY id",
        [model.id, stored(at)],
    )
    connection.unregister("stage_score")
    return Scored(
        model.id,
        day,
        len(asked.ids),
        learned.auc,
        learned.people,
        learned.positives,
        learned.weights(),
        "",
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
