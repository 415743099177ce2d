"""SQL laid out for a reader: short conditions on a line, long ones a part per line."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

WIDTH = 88
TRUE = "TRUE"


def together(parts: Sequence[str]) -> str:
    """All of these, in brackets where there are several."""
    return _joined([one for one in parts if one != TRUE] or [TRUE], "AND")


def either(parts: Sequence[str]) -> str:
    """Any of these, in brackets where there are several."""
    return _joined(parts, "OR")


def negated(part: str) -> str:
    """The plain complement: what is unknown is not so."""
    return f"NOT {coalesced(part)}"


def coalesced(part: str) -> str:
    """The condition with two values only."""
    body = inner(part)
    if "\n" in body:
        return f"coalesce(\n{indent(body, '  ')},\n  FALSE\n)"
    return f"coalesce({body}, FALSE)"


def lines(keyword: str, parts: Sequence[str], between: str = "") -> str:
    """A clause: on one line where it fits, else a part per line under its keyword."""
    flat = (f" {between} " if between else ", ").join(parts)
    if "\n" not in flat and len(keyword) + 1 + len(flat) <= WIDTH:
        return f"{keyword} {flat}"
    glue = f"\n{between} " if between else ",\n"
    return f"{keyword}\n{indent(glue.join(parts), '  ')}"


def where(parts: Sequence[str]) -> str:
    """A WHERE clause of all these; empty for none."""
    kept = [inner(one) if len(parts) == 1 else one for one in parts if one != TRUE]
    return lines("WHERE", kept, "AND") if kept else ""


def nested(sql: str) -> str:
    """A statement in brackets, indented."""
    return f"(\n{indent(sql, '  ')}\n)"


def clauses(*parts: str) -> str:
    """A statement of these clauses, one below the other; empty ones are left out."""
    return "\n".join(one for one in parts if one)


def inner(part: str) -> str:
    """The part without brackets around the whole of it."""
    if not (part.startswith("(") and part.endswith(")")):
        return part
    depth = 0
    for at, char in enumerate(part):
        depth += (char == "(") - (char == ")")
        if depth == 0 and at < len(part) - 1:
            return part
    body = part[1:-1]
    return "\n".join(one.removeprefix("  ") for one in body.strip("\n").splitlines())


def _joined(parts: Sequence[str], word: str) -> str:
    if len(parts) == 1:
        return parts[0]
    flat = f" {word} ".join(parts)
    if "\n" not in flat and len(flat) <= WIDTH - 12:
        return f"({flat})"
    return nested(f"\n{word} ".join(parts))
