"""The traits of everyone in a small company, worked out one profile at a time, without any SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from audiencehub.model import Entity
from audiencehub.rules.book import RuleBook
from audiencehub.rules.evaluate import Evaluation
from audiencehub.rules.language.profile import Profile
from audiencehub.rules.language.trait import Column, Quantile, levels
from audiencehub.rules.plain.traits import bounds_key, computed, group_of, measured

Values = dict[int, dict[str, Any]]
Thresholds = dict[str, tuple[Decimal, ...]]


def traits_of(
    book: RuleBook,
    profiles: Mapping[Entity, Mapping[int, Profile]],
    accounts: Mapping[int, int | None],
    clock: datetime,
) -> tuple[dict[Entity, Values], Thresholds]:
    """Entity to id to column to value, and the bounds of every group.

    `accounts` says of each contact which account it has; its traits are the contact's to read.
    """
    found: dict[Entity, Values] = {"account": {}, "contact": {}}
    bounds: Thresholds = {}
    for entity in found:
        known: Values = {key: {} for key in profiles[entity]}
        if entity == "contact":
            for key in known:
                account = accounts.get(key)
                known[key] |= found["account"].get(account, {}) if account is not None else {}
        for stage in levels(book.traits):
            own = [one for one in stage if one.of == entity]
            at = {
                key: Evaluation(replace(one, traits=dict(known[key])), clock, book.zone)
                for key, one in profiles[entity].items()
            }
            fresh: Thresholds = {}
            for column in own:
                fresh |= _bounds(column, at)
            bounds |= fresh
            for key, evaluation in at.items():
                profile = replace(evaluation.profile, thresholds=fresh)
                here = Evaluation(profile, clock, book.zone)
                known[key] |= {one.name: computed(one, here).value for one in own}
        names = {one.name for stage in levels(book.traits) for one in stage if one.of == entity}
        found[entity] = {
            key: {name: value for name, value in values.items() if name in names}
            for key, values in known.items()
        }
    return found, bounds


def _bounds(column: Column, at: Mapping[int, Evaluation]) -> Thresholds:
    """The values between the parts: at place ceil(n * k / parts) of the n known ones in order."""
    body = column.body
    if not isinstance(body, Quantile):
        return {}
    groups: dict[str, list[Decimal]] = {}
    for one in at.values():
        value, group = measured(body, one), group_of(body, one)
        if value is not None and group is not None:
            groups.setdefault(group, []).append(value)
    found = {}
    for group, values in groups.items():
        ordered = sorted(values, reverse=body.falling)
        places = (-(-len(values) * k // body.parts) for k in range(1, body.parts))
        found[bounds_key(column.name, group)] = tuple(ordered[place - 1] for place in places)
    return found
