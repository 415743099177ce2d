"""Calls that leave a list with given people alone.

Microsoft does not say whether Replace clears the items of its own kind or all of them, so that the
calls come to the same either way: each kind is replaced, then all is added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from audiencehub.model import Change
from connectors.microsoft_ads.items import Items, prepare


def whole(keep: Sequence[Change], kinds: Sequence[str], salt: str) -> list[Items]:
    """The calls, in order. Who has no usable identifier is in none of them."""
    adds = [one for one in prepare(keep)[0] if one.action == "Add"]
    firsts: list[Items] = []
    fillers: list[Items] = []
    for kind in kinds:
        first = next((one for one in adds if one.kind == kind), None)
        if first is None:
            # A list cannot be replaced by nothing: a hash of nobody goes in, and out again.
            first = Items("Replace", kind, (hashlib.sha256(salt.encode()).hexdigest(),), ((),))
            fillers.append(replace(first, action="Remove"))
        firsts.append(replace(first, action="Replace"))
    return [*firsts, *fillers, *adds]
