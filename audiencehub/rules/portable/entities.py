"""Leaves over other entities, and over what was stored of segments."""

from __future__ import annotations

from audiencehub.rules.language.form import SegmentRef
from audiencehub.rules.portable.query import Scope

MEMBER = "member"
"""The table of members: `segment` and `id` of a contact or an account."""


def segment(node: SegmentRef, scope: Scope) -> str:
    """Is a member, itself or through its account, of what is stored for this run."""
    query = scope.query
    key = scope.key(query.book.segments[node.segment].of)
    held = f"SELECT m.id FROM {MEMBER} AS m WHERE m.segment = {query.bind(node.segment)}"
    return f"{key} IN ({held})"
