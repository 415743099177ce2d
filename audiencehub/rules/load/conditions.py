"""Conditions: the rule tree, fields, and references to segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches

from audiencehub.canonical import PREFIX
from audiencehub.model import Entity
from audiencehub.rules.language.catalog import (
    LATER,
    LEAVES,
    TABLE_OF,
    TREE,
    near,
    split,
)
from audiencehub.rules.language.form import (
    All,
    Any_,
    FieldTest,
    MatchAll,
    Node,
    Not,
    SegmentRef,
)
from audiencehub.rules.load.checks import read_tests
from audiencehub.rules.load.contacts import read_contacts
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.measure import trait_test
from audiencehub.rules.load.near import read_near
from audiencehub.rules.load.occasion import read_occasion
from audiencehub.rules.load.past import read_past
from audiencehub.rules.load.rank import read_rank
from audiencehub.rules.load.rows import read_rows
from audiencehub.rules.load.sequence import read_sequence
from audiencehub.rules.load.tree import Scalar, Seq, Tree
from audiencehub.rules.load.trend import read_trend

AMONG: Mapping[str, Callable[[Desk, Entity, Scalar, Tree], Node | None]] = {
    "sequence": read_sequence,
    "trend": read_trend,
    "rank": read_rank,
    "occasion": read_occasion,
    "near": read_near,
    "was_in": read_past,
    "entered": read_past,
    "left": read_past,
}
"""Leaves that are more than rows of one table, with who reads them."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the conditions of one segment of contacts or of accounts."""

    desk: Desk
    of: Entity

    def condition(self, node: Tree, what: str = "a condition") -> Node | None:
        """The typed form of one condition, or None and faults."""
        if isinstance(node, Seq):
            self.desk.fault(node, f"{what} is a list", "Put the list under all: or any:")
            return None
        mapping = self.desk.mapping(node, what)
        if mapping is None:
            return None
        if not mapping.entries:
            self.desk.fault(
                node, f"{what} is empty", "Add a condition; for everyone write match_all: true"
            )
            return None
        if len(mapping.entries) > 1:
            names = ", ".join(key.text for key, _ in mapping.entries)
            self.desk.fault(
                mapping.entries[1][0],
                f"{what} holds several at once: {names}",
                "Put each in its own `-` item under all: or any:",
            )
        found = [self._one(key, value) for key, value in mapping.entries]
        return found[0] if len(found) == 1 else None

    def _one(self, key: Scalar, value: Tree) -> Node | None:
        name = key.text
        if name in LATER:
            return self._later(key, LATER[name])
        if name == "contacts":
            inner = replace(self, of="contact").condition
            return read_contacts(self.desk, self.of, key, value, inner)
        if name in AMONG:
            return AMONG[name](self.desk, self.of, key, value)
        if name in TABLE_OF:
            return read_rows(self.desk, self.of, key, value)
        readers = {
            "all": self._tree,
            "any": self._tree,
            "not": self._not,
            "match_all": self._match_all,
            "segment": self._segment,
        }
        return readers.get(name, self._field)(key, value)

    def _tree(self, key: Scalar, value: Tree) -> Node | None:
        parts = [self.condition(one) for one in self.desk.items(value, f"{key.text}:")]
        kept = tuple(part for part in parts if part is not None)
        if not kept or len(kept) != len(parts):
            return None
        return All(kept, key.line) if key.text == "all" else Any_(kept, key.line)

    def _not(self, key: Scalar, value: Tree) -> Node | None:
        part = self.condition(value, "not:")
        return None if part is None else Not(part, key.line)

    def _segment(self, key: Scalar, value: Tree) -> Node | None:
        said = self.desk.text(value, "segment:")
        if said is None:
            return None
        self.desk.references.append((said, key.line))
        return SegmentRef(said, key.line)

    def _match_all(self, key: Scalar, value: Tree) -> Node | None:
        if isinstance(value, Scalar) and value.value is True:
            return MatchAll(key.line)
        self.desk.fault(key, "match_all can only be true", "Write match_all: true")
        return None

    def _later(self, key: Scalar, what: str) -> Node | None:
        self.desk.fault(
            key,
            f"{key.text!r}: conditions on {what} are not available yet",
            f"Use: {', '.join((*TREE, *LEAVES))}, or a field",
        )
        return None

    def _trait(self, key: Scalar, value: Tree) -> Node | None:
        found = trait_test(self.desk, self.of, key)
        if found is None or not found.type:
            return None
        tests = read_tests(self.desk, value, found.type, key.text)
        return replace(found, tests=tests) if tests else None

    def _field(self, key: Scalar, value: Tree) -> Node | None:
        if key.text.startswith("trait."):
            return self._trait(key, value)
        scope, name = split(key.text, self.of)
        if key.text in ("consent", "suppression"):
            hint = "Leave it out: consent and suppression stand outside the rules and always apply"
            self.desk.fault(key, f"{key.text!r} is never a condition", hint)
            return None
        if scope not in ("contact", "account"):
            self.desk.fault(key, f"{key.text!r} is no condition", self._near(key.text))
            return None
        if scope == "contact" and self.of == "account":
            self.desk.fault(
                key,
                "an account has many contacts, so contact.* cannot be tested here",
                "Write contacts: {where: …}, or make it a segment of: contact",
            )
            return None
        field = self.desk.catalog.field(scope, name)
        if field is None:
            self._absent(key, scope, name)
            return None
        tests = read_tests(self.desk, value, field.type, key.text)
        return FieldTest(scope, name, field.type, tests, key.line) if tests else None

    def _absent(self, key: Scalar, entity: str, column: str) -> None:
        if column.startswith(PREFIX):
            self.desk.no_custom(key, entity, column)
        else:
            self.desk.fault(key, f"{key.text!r} is no condition", self._near(key.text))

    def _near(self, word: str) -> str:
        """The closest of all words that may stand here; the last part alone also counts."""
        catalog = self.desk.catalog
        scopes = ("contact", "account") if self.of == "contact" else ("account",)
        dotted = [f"{scope}.{name}" for scope in scopes for name in catalog.names(scope)]
        dotted += [f"trait.{name}" for name in self.desk.traits]
        bare = catalog.names(self.of)
        head, _, tail = word.rpartition(".")
        # A prefix that is right would make every field that has it look alike.
        if head not in scopes:
            hint = near(word, (*TREE, *LEAVES, *dotted, *bare))
            if hint.startswith("Did"):
                return hint
        close = [
            (SequenceMatcher(None, tail, name).ratio() + (scope == head) / 10, scope, name)
            for scope in scopes
            for name in get_close_matches(tail, catalog.names(scope), 1)
        ]
        if close:
            _, scope, name = max(close)
            return f"Did you mean {scope}.{name}?"
        return "Use a field such as account.industry, or one of: " + ", ".join((*TREE, *LEAVES))
