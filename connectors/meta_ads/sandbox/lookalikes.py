"""Lookalikes of the fake: what one may be made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from connectors.meta_ads.sandbox.graph import GraphError, structure
from connectors.meta_ads.sandbox.standing import ENOUGH

if TYPE_CHECKING:
    from connectors.meta_ads.sandbox.app import MetaSandbox

TYPES = ("similarity", "reach")
Document = dict[str, Any]


def checked(
    fake: MetaSandbox, account: str, params: Document, every: Sequence[Document]
) -> Document:
    """What a new lookalike keeps of its request. The same of the same seed is there once."""
    origin = str(params.get("origin_audience_id") or "")
    seed = fake.store.table("audience").get(origin)
    if seed is None or seed["account_id"] != account or seed["subtype"] != "CUSTOM":
        raise GraphError(100, "Invalid origin_audience_id")
    if len(fake.store.table(f"member:{origin}")) < ENOUGH:
        raise GraphError(100, f"The source audience has fewer than {ENOUGH} people matched")
    if not isinstance(params.get("lookalike_spec"), str):
        raise GraphError(100, "Param lookalike_spec must be a JSON-encoded string")
    spec = _spec(structure(params, "lookalike_spec"))
    for known in every:
        if (known.get("origin_audience_id"), known.get("lookalike_spec")) == (origin, spec):
            raise GraphError(2654, "This lookalike audience exists already")
    return {"origin_audience_id": origin, "lookalike_spec": spec, "is_value_based": False}


def _spec(spec: Any) -> Document:
    if not isinstance(spec, dict):
        raise GraphError(100, "Param lookalike_spec must be an object")
    places = spec.get("country") or (
        ((spec.get("location_spec") or {}).get("geo_locations") or {}).get("countries")
    )
    kind, ratio, start = spec.get("type"), spec.get("ratio"), spec.get("starting_ratio")
    share = ratio if _step(ratio) else -1.0
    # A type stands for a share, and counts before one.
    good = kind in TYPES if kind is not None else 0.01 <= share <= 0.2
    beyond = start is None or (_step(start) and 0 <= start < share)
    if not places or not good or not beyond:
        raise GraphError(100, "Invalid lookalike_spec")
    found: Document = json.loads(json.dumps(spec, sort_keys=True))
    return found


def _step(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and abs(value * 100 - round(value * 100)) < 1e-9
