"""Traits and ladders from plain values, random ones from one seed, and both engines on a world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from audiencehub.rules import Example, RuleBook, Segment, compile_book
from audiencehub.rules.language.trait import Ladder, Trait, levels
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.examples import read_examples
from audiencehub.rules.load.folder import read_segment
from audiencehub.rules.load.ladder import ladder_of
from audiencehub.rules.load.trait import declared, trait_of
from audiencehub.rules.load.tree import read
from audiencehub.testing.oracle import Everyone
from audiencehub.testing.world import World
from tests.rules.chance import Chance
from tests.rules.kit import WIDE, ZONE, dump


def traits(*described: dict[str, Any]) -> dict[str, Trait]:
    """Traits by id; fails the test when one has a fault."""
    known: dict[str, Any] = {}
    trees = []
    for values in described:
        whole = {"label": values["trait"], "of": "contact", **values}
        tree, faults = read("x.yaml", dump(whole))
        assert tree is not None
        assert not faults
        desk = Desk(f"traits/{values['trait']}.yaml", "USD", WIDE)
        known |= declared(desk, tree)
        trees.append((desk, tree))
    found = {}
    for desk, tree in trees:
        desk.traits = known
        one = trait_of(desk, tree)
        assert one is not None, [str(fault) for fault in desk.faults]
        found[one.id] = one
    return found


def known(found: dict[str, Trait]) -> dict[str, Any]:
    """The columns that rules may name."""
    return {c.name: (c.of, c.type) for one in found.values() for c in one.columns}


def rule(name: str, when: Any, found: dict[str, Trait], of: str = "contact") -> Segment:
    """A segment that may name these traits."""
    values = {"segment": name, "label": name, "model": "rfm", "of": of, "when": when}
    desk = Desk(f"{name}.yaml", "USD", WIDE, traits=known(found))
    segment = read_segment(desk, dump(values))
    assert segment is not None, [str(one) for one in desk.faults]
    return segment


def ladder(values: dict[str, Any], found: dict[str, Trait]) -> tuple[Ladder, tuple[Segment, ...]]:
    """A ladder with the segments of its rungs; fails the test when it has a fault."""
    name = values["ladder"]
    tree, _ = read("x.yaml", dump({"label": name, "model": "lifecycle", "of": "contact", **values}))
    assert tree is not None
    desk = Desk(f"ladders/{name}.yaml", "USD", WIDE, traits=known(found))
    made = ladder_of(desk, tree)
    assert made is not None, [str(fault) for fault in desk.faults]
    return made


def described(examples: list[dict[str, Any]], found: dict[str, Trait]) -> tuple[Example, ...]:
    """Examples of a rule that may name these traits."""
    tree, _ = read("x.yaml", dump(examples))
    assert tree is not None
    desk = Desk("x.yaml", "USD", WIDE, traits=known(found))
    made = read_examples(desk, "contact", tree)
    assert not desk.faults, [str(one) for one in desk.faults]
    return made


def with_examples(segment: Segment, examples: tuple[Example, ...]) -> Segment:
    """The same segment with these examples."""
    return replace(segment, examples=examples)


def book_of(found: dict[str, Trait], *segments: Segment, zone: Any = ZONE) -> RuleBook:
    """A book of traits and segments."""
    return RuleBook({one.id: one for one in segments}, zone, traits=found)


def tables(book: RuleBook, world: World, clock: datetime) -> dict[str, dict[int, dict[str, Any]]]:
    """Entity to id to column to value, by the compiled statements."""
    found = {}
    with world.connect(WIDE) as connection:
        compile_book(book, clock, None, WIDE, world.unfilled).run(connection)
        for entity in ("contact", "account"):
            cursor = connection.execute(f"SELECT * FROM trait_{entity}")
            names = [one[0] for one in cursor.description or ()]
            found[entity] = {
                row[0]: {n: plain(v) for n, v in zip(names[1:], row[1:], strict=True)}
                for row in cursor.fetchall()
            }
    return found


def by_oracle(book: RuleBook, world: World, clock: datetime) -> dict[str, Any]:
    """The same, one profile at a time."""
    everyone = Everyone(book, world, clock)
    columns = [one for stage in levels(book.traits) for one in stage]
    return {
        entity: {
            key: {c.name: plain(one.traits[c.name]) for c in columns if c.of == entity}
            for key, one in profiles.items()
        }
        for entity, profiles in (("contact", everyone.contacts), ("account", everyone.accounts))
    }


def plain(value: Any) -> Any:
    """A value as both engines can be compared by: numbers as decimals, instants aware."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | Decimal):
        return Decimal(value).normalize()
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value


class TraitChance(Chance):
    """Random traits beside random rules, which name them, and companies."""

    named: Mapping[str, Any] = MappingProxyType({})
    """Columns that rules drawn from now on may name."""

    def _field(self, table: str, *, dotted: bool = False) -> dict[str, Any]:
        own = [name for name, (of, _) in self.named.items() if of == table]
        if dotted and own and self.random.random() < 0.6:
            name = self.random.choice(own)
            return {f"trait.{name}": self.tests(self.named[name][1])}
        return super()._field(table, dotted=dotted)

    def scored(self) -> World:
        """A company with some scores of models."""
        world, pick = self.world(), self.random
        scores = [
            {
                "entity": pick.choice(("contact", "account")),
                "id": pick.choice([*world.contacts, *world.accounts]),
                "model": pick.choice(("churn", "fit")),
                "value": pick.choice((None, 0.25, 0.5, 0.75)),
                "at": self._instant(self.clock.date()),
            }
            for _ in range(pick.randrange(20))
        ]
        facts = {**world.facts, "model_score": scores}
        return World(world.contacts, world.accounts, facts, world.unfilled)

    def traits(self, count: int) -> dict[str, Trait]:
        """That many traits; later ones may read earlier ones."""
        made: list[dict[str, Any]] = []
        for number in range(count):
            of = self.random.choice(("contact", "contact", "account"))
            kind, body = self._trait(of, known(traits(*made)))
            made.append({"trait": f"t{number}", "of": of, kind: body})
        return traits(*made)

    def _trait(self, of: str, earlier: dict[str, Any]) -> tuple[str, Any]:
        pick = self.random
        usable = {n: t for n, (o, t) in earlier.items() if o == of or of == "contact"}
        kinds = ("aggregate", "aggregate", "ratio", "band", "points", "percentile", "rfm")
        kind = pick.choice((*kinds, "model_score"))
        number = [f"trait.{n}" for n, t in usable.items() if t in ("integer", "money", "decimal")]
        own = ["weight"] if of == "contact" else ["employee_count", "annual_revenue"]
        fields = [*number, *own, "account.employee_count", "account.annual_revenue"]
        if kind == "aggregate":
            return kind, self._measure(of)
        if kind == "ratio":
            return kind, {"of": self._term(of, fields), "over": self._term(of, fields)}
        if kind == "band":
            bands = [{"name": "low", "below": pick.choice((0, 1))}, {"name": "mid", "below": 2}]
            top = [{"name": "high"}] if pick.random() < 0.6 else []
            return kind, {"of": self._term(of, fields), "bands": [*bands, *top]}
        if kind == "points":
            return kind, [
                {"when": self._condition(of, usable), "points": pick.choice((-5, 0, 1, 10))}
                for _ in range(pick.randrange(1, 4))
            ]
        if kind == "percentile":
            groups = [f"trait.{n}" for n, t in usable.items() if t in ("text", "integer")]
            body = {"of": pick.choice(fields)}
            if pick.random() < 0.5:
                body["within"] = pick.choice([*groups, "account.industry"])
            return kind, body
        if kind == "rfm":
            body = {"sum": pick.choice(("total", "quantity"))}
            if pick.random() < 0.5:
                body["within"] = pick.choice(("30 days", "1 year"))
            return kind, {"order": body}
        body = {"model": pick.choice(("churn", "fit"))}
        return kind, {**body, "within": "2 days"} if pick.random() < 0.5 else body

    def _condition(self, of: str, usable: dict[str, Any]) -> dict[str, Any]:
        if usable and self.random.random() < 0.4:
            name = self.random.choice(list(usable))
            return {f"trait.{name}": self.tests(usable[name])}
        return self._local(of)

    def _local(self, of: str) -> dict[str, Any]:
        """A condition on fields and facts alone: traits are computed before the rest."""
        scope = "account" if of == "account" else self.random.choice(("contact", "account"))
        if self.random.random() < 0.5:
            return self._field(scope, dotted=True)
        leaf = self.random.choice(("event", "order", "deal"))
        return {"not": {leaf: {"count": self.tests("integer", unknown=False)}}}

    def _term(self, of: str, fields: list[str]) -> Any:
        return (
            self._measure(of, number=True)
            if self.random.random() < 0.4
            else self.random.choice(fields)
        )

    def _measure(self, of: str, *, number: bool = False) -> dict[str, Any]:
        pick = self.random
        leaf, numeric, other = pick.choice(
            (
                ("event", ("value",), ("name", "channel", "at")),
                ("order", ("total", "quantity"), ("status", "at")),
                ("deal", ("amount",), ("stage", "is_closed", "close_date")),
            )
        )
        hows = ["count", "sum", "min", "max", "average", "distinct"]
        if not number:
            hows += ["first", "last", "most_frequent"]
        if leaf != "deal":
            hows += ["days_since_first", "days_since_last"]
        how = pick.choice(hows)
        body: dict[str, Any] = {}
        if how == "count" or how.startswith("days"):
            body[how] = True
        else:
            simple = how in ("sum", "min", "max", "average")
            body[how] = pick.choice(numeric if simple else (*numeric, *other))
        if how == "distinct" and pick.random() < 0.5:
            body[how] = "day"
        if pick.random() < 0.4:
            body["where"] = self._where({"event": "event", "order": "order"}.get(leaf, "deal"), 1)
        if pick.random() < 0.6:
            ops = ("within", "older_than", "before", "after", "between")
            op = pick.choice(ops)
            body[op] = self._literal(op, "date" if leaf == "deal" else "instant")
        return {leaf: body}
