"""A company of some thousand people who change a little every day, and what its rules say of them.

Pure and seeded. A day's plans are made of the product's own difference, counts and guards.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

from toybench import NOW

from audiencehub.delivery import gates, guards
from audiencehub.delivery.desired import Desired
from audiencehub.delivery.diff import counted, diff_list, diff_tags, held_now
from audiencehub.delivery.guards import GuardResult
from audiencehub.ledger import Believed, FileEntry, Ledger
from audiencehub.settings import Guards

PEOPLE = 1800
INDUSTRIES = ("software", "finance", "retail", "health", "energy", "media")
COUNTRIES = ("DE", "US", "FR", "GB", "NL")
TITLES = ("manager", "engineer", "director", "buyer", "founder")
GUARDS = Guards()


@dataclass(frozen=True, slots=True)
class Person:
    industry: str
    country: str
    title: str
    size: int
    visits: int
    idle: int
    """Days since the last visit."""
    consent: bool = True


Rule = Callable[[Person], bool]

RULES: dict[str, Rule] = {
    "software": lambda p: p.industry == "software",
    "finance": lambda p: p.industry == "finance",
    "german": lambda p: p.country == "DE",
    "dutch_health": lambda p: p.country == "NL" and p.industry == "health",
    "leaders": lambda p: p.title in ("director", "founder"),
    "large": lambda p: p.size > 1000,
    "large_french_media": lambda p: p.size > 1000 and p.country == "FR" and p.industry == "media",
    "warm": lambda p: p.visits >= 4 and p.idle <= 30,
    "cooling": lambda p: p.visits >= 4 and p.idle > 30,
    "buyers_abroad": lambda p: p.title == "buyer" and p.country in ("US", "GB"),
}
LISTS = ("software", "leaders", "warm")
"""Segments that also go to lists, each a target of its own."""

People = dict[str, Person]


def person(rng: random.Random) -> Person:
    return Person(
        rng.choices(INDUSTRIES, (30, 20, 20, 12, 10, 8))[0],
        rng.choices(COUNTRIES, (40, 25, 15, 12, 8))[0],
        rng.choices(TITLES, (35, 30, 12, 18, 5))[0],
        int(rng.lognormvariate(5, 1.6)) + 1,
        min(40, int(rng.expovariate(0.35))),
        int(rng.expovariate(1 / 40)),
        rng.random() > 0.1,
    )


def people(rng: random.Random, count: int = PEOPLE) -> People:
    return {f"r{n}": person(rng) for n in range(count)}


def churned(now: People, share: float, rng: random.Random) -> People:
    """A share of the people change: a visit, a new job, a move, a withdrawal."""
    after = dict(now)
    for key in rng.sample(sorted(now), int(share * len(now))):
        one, other = now[key], person(rng)
        what = rng.random()
        if what < 0.7:
            after[key] = replace(one, visits=one.visits + 1, idle=0)
        elif what < 0.8:
            after[key] = replace(one, visits=max(0, one.visits - 2))
        elif what < 0.9:
            after[key] = replace(one, title=other.title, size=other.size)
        elif what < 0.96:
            after[key] = replace(one, industry=other.industry, country=other.country)
        else:
            after[key] = replace(one, consent=not one.consent)
    return after


def grown(now: People, count: int, rng: random.Random) -> People:
    """New leads."""
    first = max(int(key[1:]) for key in now) + 1
    return now | {f"r{first + n}": person(rng) for n in range(count)}


def fewer(now: People, gone: Iterable[str]) -> People:
    out = set(gone)
    return {key: one for key, one in now.items() if key not in out}


def older(now: People, rng: random.Random, share: float = 1.0) -> People:
    """A night passes; those who visit less come less often."""
    return {
        key: replace(one, idle=one.idle + 1) if rng.random() < share else one
        for key, one in now.items()
    }


@dataclass
class Day:
    """What a sync would plan: per target its guards' verdicts and how much moves."""

    results: dict[str, list[GuardResult]] = field(default_factory=dict)
    consent: Counter[str] = field(default_factory=Counter)
    """Removals of the plan that nothing holds, per target."""
    moves: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Per target how many it holds, how many enter and how many leave."""

    def held(self, target: str) -> set[str]:
        return {one.name for one in self.results[target] if one.verdict == "hold"}

    @property
    def holding(self) -> set[str]:
        return {name for target in self.results for name in self.held(target)}


class Desk:
    """What the targets are believed to hold, and the pulls they rest on."""

    def __init__(self, ledger: Ledger, now: People, rules: dict[str, Rule]) -> None:
        self.ledger, self.pulls, self.rejected = ledger, 0, (0, 0)
        self.tags: dict[str, Believed] = {}
        self.lists: dict[str, dict[str, Believed]] = {}
        for _ in range(5):
            self.pulled(len(now))
        self.settle(now, rules)

    def pulled(self, rows: int) -> None:
        """A full pull, proven complete."""
        self.pulls += 1
        at = NOW + timedelta(hours=self.pulls)
        self.ledger.manifests.record(
            f"run{self.pulls}", "crm", "contact", [FileEntry(f"f{self.pulls}", rows, "x")], rows,
            True, None, True, None, at,
        )  # fmt: skip

    def settle(self, now: People, rules: dict[str, Rule]) -> None:
        """All is sent and confirmed."""
        self.tags = {k: believed(k, tags) for k, tags in tagged(now, rules).items() if tags}
        self.lists = {name: dict.fromkeys(listed(now, rules, name)) for name in LISTS}
        for name, members in self.lists.items():
            self.lists[name] = {k: believed(k, frozenset(), f"hash {k}") for k in members}
        self.rejected = (0, 0)

    def day(self, now: People, rules: dict[str, Rule]) -> Day:
        """The plans of a sync, judged."""
        found, made = gates.sources(self.ledger, ["crm"], GUARDS, "crm/contact/tags"), Day()
        wanted = Desired(records=len(now))
        wanted.reasons = {k: dict.fromkeys(t, "") for k, t in tagged(now, rules).items() if t}
        diff = diff_tags(wanted, self.tags, {})
        self._judge(made, "tags", "contact", "tag", self.tags, diff, found, len(now))
        for name, held in self.lists.items():
            to = Desired(barred={k for k in held if k in now and not now[k].consent})
            digests = {k: f"hash {k}" for k in listed(now, rules, name)}
            diff = diff_list(name, to, digests, held)
            made.consent[name] = len(diff.consent)
            self._judge(made, name, name, "list", held, diff, found, None)
        return made

    def _judge(self, made, target, place, kind, held, diff, found, records) -> None:
        before, (enters, leaves) = held_now(place, kind, held), counted(diff.changes)
        results = [*found, *guards.volume(GUARDS, {}, before, enters, leaves)]
        if records is not None:
            results.append(guards.field_share(GUARDS, len(diff.changes), records))
        results.append(guards.first_run(GUARDS, first=False, live=True, changes=len(diff.changes)))
        results.append(guards.rejects(GUARDS, *self.rejected))
        made.results[target] = results if diff.changes else []
        made.moves[target] = (before.total(), enters.total(), leaves.total())


def believed(key: str, tags: frozenset[str], value: str = "") -> Believed:
    # The true one reads its tags from JSON at every look.
    return cast(Believed, SimpleNamespace(value_hash=value, tags=tags, person=int(key[1:])))


def tagged(now: People, rules: dict[str, Rule]) -> dict[str, frozenset[str]]:
    return {
        key: frozenset(name for name, rule in rules.items() if rule(one))
        for key, one in now.items()
    }


def listed(now: People, rules: dict[str, Rule], name: str) -> list[str]:
    return [key for key, one in now.items() if one.consent and rules[name](one)]
