"""Leaves packed into words of 64 bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from audiencehub.rules.language.form import Leaf

WORD = 64
L_co = TypeVar("L_co", bound=Leaf, covariant=True)


@dataclass(frozen=True, slots=True)
class Slot(Generic[L_co]):
    """A leaf and its bit.

    The bit is set where the verdict differs from `default`, the verdict for an entity of which
    nothing is known; so an entity that is absent needs no row.
    """

    leaf: L_co
    index: int
    default: bool


def quoted(name: str) -> str:
    """An identifier of the catalog, quoted."""
    return '"' + name.replace('"', '""') + '"'


def bit(index: int) -> str:
    """The SQL literal of one bit within its word."""
    return f"{1 << (index % WORD)}::UBIGINT"


def words_sql(verdicts: Sequence[tuple[int, str]], words: int) -> list[str]:
    """One expression per word, with a bit for each (index, SQL verdict)."""
    out = []
    for word in range(words):
        bits = [
            f"CASE WHEN {sql} THEN {bit(index)} ELSE 0::UBIGINT END"
            for index, sql in verdicts
            if index // WORD == word
        ]
        out.append(" | ".join(f"({one})" for one in bits) or "0::UBIGINT")
    return out


def count_words(bits: int) -> int:
    """How many words that many bits need; at least one."""
    return max(1, -(-bits // WORD))


__all__ = ["Leaf", "Slot", "bit", "count_words", "quoted", "words_sql"]
