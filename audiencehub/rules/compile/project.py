"""The projection: each rule as a few bit tests over the words of its leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from audiencehub.model import Entity
from audiencehub.rules.book import Segment
from audiencehub.rules.compile.contacts import ALIAS as CREW
from audiencehub.rules.compile.contacts import crew_sql, verdict_sql
from audiencehub.rules.compile.kinds import grain
from audiencehub.rules.compile.leaves import Leaves
from audiencehub.rules.compile.words import WORD, bit, count_words, words_sql
from audiencehub.rules.language.form import (
    All,
    Any_,
    Contacts,
    Leaf,
    MatchAll,
    Node,
    Not,
    SegmentRef,
    walk,
)

ALIAS = {"contact": "lc", "account": "la"}
MEMBER = {"contact": "mc", "account": "ma"}


@dataclass(frozen=True, slots=True)
class Projector:
    """Writes the projection of one stage for one entity."""

    entity: Entity
    leaves: Mapping[Entity, Leaves]
    segments: Mapping[str, Segment]
    bits: Mapping[str, int]
    together: frozenset[str] = frozenset()
    """Segments of this stage: who refers to one is answered by its condition."""

    @property
    def words(self) -> int:
        """Mask words of every membership table: enough for the highest bit given out."""
        return count_words(max(self.bits.values(), default=0) + 1)

    def sql(self, names: Sequence[str], *, first: bool) -> str:
        """SELECT <entity>_id and words with the bits of these segments, over those in match_*."""
        return replace(self, together=frozenset(names))._sql(names, first=first)

    def _sql(self, names: Sequence[str], *, first: bool) -> str:
        own = [n for n in names if self.segments[n].of == self.entity]
        roots = [self.segments[name].when for name in own]
        verdicts = [(self.bits[n], self.verdict(self.segments[n].when)) for n in own]
        words = words_sql(verdicts, self.words)
        key = f"{self.entity}_id"
        if not first:
            words = [f"old.w{n} | {sql}" for n, sql in enumerate(words)]
        columns = ", ".join(f"{sql} AS w{n}" for n, sql in enumerate(words))
        joins = self.joins(roots) + self._crew(roots)
        before = "" if first else f" JOIN match_{self.entity} AS old ON old.{key} = e.{key}"
        return f"SELECT e.{key}, {columns} FROM {self.entity} AS e{joins}{before}"

    def joins(self, roots: Iterable[Node]) -> str:
        """Each grain joined once, and only the grains that these conditions read."""
        reads_leaf: set[Entity] = set()
        reads_member: set[Entity] = set()
        for node in (one for root in roots for one in self._walk(root)):
            if isinstance(node, SegmentRef):
                reads = reads_leaf if node.segment in self.together else reads_member
                reads.add(self.segments[node.segment].of)
            elif isinstance(node, Leaf):
                reads_leaf.add(grain(node))
        joins = [
            f" LEFT JOIN leaf_{one} AS {ALIAS[one]} ON {ALIAS[one]}.{one}_id = e.{one}_id"
            for one in sorted(reads_leaf)
        ]
        joins += [
            f" LEFT JOIN member_{one} AS {MEMBER[one]} ON {MEMBER[one]}.{one}_id = e.{one}_id"
            for one in sorted(reads_member)
        ]
        return "".join(joins)

    def _walk(self, root: Node) -> Iterator[Node]:
        for node in walk(root):
            yield node
            if isinstance(node, SegmentRef) and node.segment in self.together:
                yield from self._walk(self.segments[node.segment].when)

    def _crew(self, roots: Iterable[Node]) -> str:
        found = [one for root in roots for one in walk(root) if isinstance(one, Contacts)]
        if not found:
            return ""
        joins = self.joins(one.where for one in found)
        counted = crew_sql(found, joins, self.verdict)
        return f" LEFT JOIN ({counted}) AS {CREW} ON {CREW}.account_id = e.account_id"

    def verdict(self, node: Node) -> str:
        """A condition as SQL over the words that `joins` brings in, true or false."""
        if isinstance(node, All | Any_):
            word = " AND " if isinstance(node, All) else " OR "
            return f"({word.join(self.verdict(part) for part in node.parts)})"
        if isinstance(node, Not):
            return f"(NOT {self.verdict(node.part)})"
        if isinstance(node, MatchAll):
            return "true"
        if isinstance(node, SegmentRef):
            return self._reference(self.segments[node.segment])
        if isinstance(node, Contacts):
            return verdict_sql(node)
        slot = self.leaves[grain(node)].slots()[node]
        return _test(ALIAS[grain(node)], slot.index, wanted=not slot.default)

    def _reference(self, to: Segment) -> str:
        if to.id not in self.together:
            return _test(MEMBER[to.of], self.bits[to.id], wanted=True)
        # Who has no account is in no segment of accounts, whatever its condition makes of that.
        there = f"{ALIAS[to.of]}.{to.of}_id IS NOT NULL"
        return f"({there} AND {self.verdict(to.when)})"


def _test(alias: str, index: int, *, wanted: bool) -> str:
    word = f"coalesce({alias}.w{index // WORD}, 0::UBIGINT)"
    return f"(({word} & {bit(index)}) {'<>' if wanted else '='} 0)"
