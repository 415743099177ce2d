"""SQL of earlier membership, over the table stay(entity, id, segment, entered_at, left_at)."""

from __future__ import annotations

from audiencehub.rules.compile.bind import Binder
from audiencehub.rules.compile.checks import NOW, edges, point, tests_sql
from audiencehub.rules.language.form import Past


def past_sql(leaf: Past, bind: Binder) -> str:
    """SELECT owner_id, each once, of those for whom the leaf holds."""
    kept = f"entity = {bind(leaf.owner)} AND segment = {bind(leaf.segment)} AND "
    kept += _was_in(leaf, bind) if leaf.event == "was_in" else _moved(leaf, bind)
    return f"SELECT DISTINCT id AS owner_id FROM stay WHERE {kept}"


def _moved(leaf: Past, bind: Binder) -> str:
    column = "entered_at" if leaf.event == "entered" else "left_at"
    kept = f"{column} <= {bind(NOW)}"
    if leaf.window is not None:
        kept += f" AND {tests_sql(leaf.window, column, 'instant', bind)}"
    return kept


def _was_in(leaf: Past, bind: Binder) -> str:
    """The stay began before the stretch ends and ended after it begins, which is not ahead."""
    now = bind(NOW)
    parts = [f"entered_at <= {now}"]
    for check in leaf.window.checks if leaf.window else ():
        edge = edges(check)
        if edge.start is not None:
            start = bind(point(edge.start, "instant"))
            parts += [f"{start} <= {now}", f"(left_at IS NULL OR left_at > {start})"]
        if edge.end is not None:
            end = bind(point(edge.end, "instant"))
            parts.append(f"entered_at {'<=' if edge.closed_end else '<'} {end}")
    return " AND ".join(parts)
