"""Lookalikes: made once of a seed, and kept up to date by Meta itself.

Source: developers.facebook.com/docs/marketing-api, "Lookalike Audiences".
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

from audiencehub.errors import BatchRefused, OutcomeUnknown, Stop, Wait
from audiencehub.http import RedactingFilter
from audiencehub.model import Target
from connectors.meta_ads import faults
from connectors.meta_ads.graph import Graph
from connectors.meta_ads.options import Lookalike, Options

REMOTE = "lookalike_id"
ANOTHERS = "another's"
"""Instead of an id: somebody made the same one by hand, which is all that is wanted."""
_LONGEST_NAME = 200

log = logging.getLogger(__name__)
log.addFilter(RedactingFilter())


def kept(graph: Graph, options: Options, target: Target, seed: str) -> dict[str, str]:
    """`{"lookalike_id": …}` of the one that is there or was just made; empty when it could not be.

    Call it once the seed is matched. That a lookalike cannot be made is logged and shown by
    `figures`, and keeps nobody from being added to the seed or taken out of it.
    """
    wanted = options.lookalikes[target.place]
    try:
        found = _found(graph, options, target, wanted) or _made(
            graph, options, target, wanted, seed
        )
    except faults.Duplicate:
        found = ANOTHERS
    except (Stop, Wait, OutcomeUnknown, BatchRefused) as error:
        log.warning("%s: no lookalike yet: %s", target.id, error.message)
        return {}
    return {REMOTE: found}


def mark(options: Options, target: Target, wanted: Lookalike) -> str:
    """What its description ends with; another specification has another mark."""
    text = f"{options.namespace}|{target.id}|{_specification(wanted)}"
    return f"[al:{hashlib.sha256(text.encode()).hexdigest()[:16]}]"


def _found(graph: Graph, options: Options, target: Target, wanted: Lookalike) -> str | None:
    ours = mark(options, target, wanted)
    every = graph.audiences("name,description")
    ids = [str(one["id"]) for one in every if ours in str(one.get("description") or "")]
    return min(ids, key=int, default=None)


def _made(graph: Graph, options: Options, target: Target, wanted: Lookalike, seed: str) -> str:
    where = ", ".join(wanted.countries)
    beyond = f"{100 * wanted.beyond:.0f} to " if wanted.beyond is not None else ""
    tail = f" lookalike {where} {beyond}{100 * wanted.share:.0f} %"
    made = graph.call(
        "POST",
        f"{options.account}/customaudiences",
        {
            "name": (target.label or target.place)[: _LONGEST_NAME - len(tail)] + tail,
            "subtype": "LOOKALIKE",
            "origin_audience_id": seed,
            "description": f"Made by {options.namespace}. {mark(options, target, wanted)}",
            "lookalike_spec": _specification(wanted),
        },
    )
    found = str(made.get("id") or "")
    if not found.isdecimal():
        raise OutcomeUnknown(
            "Meta made a lookalike but named none.",
            hint="Run again: it is found by its description",
        )
    return found


def _specification(wanted: Lookalike) -> str:
    found: dict[str, Any] = {
        "ratio": float(wanted.share),
        "location_spec": {"geo_locations": {"countries": sorted(wanted.countries)}},
        "allow_international_seeds": True,
    }
    if wanted.beyond is not None:
        found["starting_ratio"] = float(wanted.beyond)
    return json.dumps(found, sort_keys=True)


def told(remote: Mapping[str, str]) -> str:
    """For `figures`, where one is wanted."""
    found = remote.get(REMOTE)
    return f"lookalike {found}" if found else "no lookalike yet"
