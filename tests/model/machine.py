"""The machine: rules over source, destination, consent and crashes, invariants after every step."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from audiencehub.delivery import crash
from tests.model.company import Company
from tests.model.twin import LISTED, SEGMENTS
from tests.model.world import FOREIGN

KEYS = tuple(f"r{n}" for n in range(7))
MAILS = tuple(f"p{n}@acme.example" for n in range(7))
TITLES = ("plain", "warm", "hot", "warm hot")
HONEST = ("delta", "delta", "whole")
BROKEN = ("cut", "wait", "half", "miscounted", "empty", "silent", "stop", "killed")
STEPS = ("pull", "land", "normalize", "resolve", "segment", "plan", "push")
POINTS = (*crash.POINTS, "progress", *(f"step {name}" for name in STEPS))
FAULTS = (
    "wait", "stop", "lost_before", "lost_after", "lost_after", "short", "refuse", "lock", "reject",
    "lie",
)  # fmt: skip
DOORS = ("call", "call-ads", "call-ads", "push", "push-ads", "plan", "segment")

keys = st.sampled_from(KEYS)
statuses = st.sampled_from(["granted", "granted", "denied"])


class Machine(RuleBasedStateMachine):
    """One company, from its first day until it is at rest again."""

    steps: ClassVar[Counter[str]] = Counter()
    """Rules executed, over every example of a class."""
    guards: ClassVar[dict] = {}

    def __init__(self):
        super().__init__()
        self.company = Company(self.guards)
        self.world = self.company.world
        self._point, crash.point = crash.point, self.company.point

    def count(self, name):
        type(self).steps[name] += 1

    @initialize(
        people=st.lists(
            st.tuples(st.sampled_from(TITLES), statuses), min_size=4, max_size=len(KEYS)
        ),
        released=st.booleans(),
    )
    def begin(self, people, released):
        for number, (title, status) in enumerate(people):
            at = self.world.tick()
            self.world.put(
                KEYS[number], email=MAILS[number], title=title, consent=status, said_at=at
            )
        self.company.sync("whole")
        if released:
            self.company.approve()
            self.company.apply()

    # The source.

    @rule(key=keys, title=st.sampled_from(TITLES))
    def edit(self, key, title):
        self.count("edit")
        if key in self.world.live():
            self.world.put(key, title=title)

    @rule(key=keys, title=st.sampled_from(TITLES), status=statuses)
    def add(self, key, title, status):
        """A new record, or one that comes back from the bin without its tags."""
        self.count("add")
        if key in self.world.live():
            return
        mail = MAILS[KEYS.index(key)]
        self.world.put(
            key, email=mail, title=title, consent=status, said_at=self.world.tick(),
            deleted=False, merged_into=None,
        )  # fmt: skip

    @rule(key=keys)
    def delete(self, key):
        self.count("delete")
        if key in self.world.live() and len(self.world.live()) > 3:
            self.world.drop(key)

    @rule(key=keys, other=keys, how=st.sampled_from(["mail", "crm", "hub"]))
    def merge(self, key, other, how):
        """Two people turn out to be one: by their address, in the CRM, or because a person says."""
        self.count("merge")
        live = self.world.live()
        if key == other or not {key, other} <= set(live):
            return
        if how == "mail":
            self.world.put(key, email=self.world.records[other].email)
        elif how == "hub":
            self.company.join(key, other)
        elif len(live) > 3:
            self.world.drop(key, into=other)

    @rule(key=keys, place=st.integers(0, 5), how=st.sampled_from(["mail", "hub"]))
    def unmerge(self, key, place, how):
        self.count("unmerge")
        if how == "hub":
            self.company.part(place)
        elif key in self.world.live():
            self.world.put(key, email=MAILS[KEYS.index(key)])

    # Consent.

    @rule(key=keys, status=statuses, where=st.sampled_from(["source", "hub"]))
    def consent(self, key, status, where):
        self.count("consent")
        self._say(key, status, where)

    def _say(self, key, status, where):
        if where == "hub":
            self.company.say(key, status)
        elif key in self.world.live():
            self.world.put(key, consent=status, said_at=self.world.tick())

    @precondition(lambda self: not self.company.known.suppressed)
    @rule(key=keys)
    def suppress(self, key):
        self.count("suppress")
        self.company.suppress(key)

    # The hub.

    @rule(pages=st.sampled_from(HONEST))
    def run(self, pages):
        self.count("run")
        self.company.sync(pages)

    @rule(pages=st.sampled_from(BROKEN))
    def run_on_a_bad_pull(self, pages):
        self.count("run_on_a_bad_pull")
        self.company.sync(pages)

    @rule(pages=st.sampled_from(HONEST), point=st.sampled_from(POINTS), hit=st.integers(1, 3))
    def crash(self, pages, point, hit):
        self.count("crash")
        self.company.sync(pages, armed=(point, hit))

    @rule(pages=st.sampled_from(HONEST), who=st.lists(keys, min_size=1, max_size=3, unique=True),
          door=st.sampled_from(DOORS))  # fmt: skip
    def withdraw_meanwhile(self, pages, who, door):
        """Consent is withdrawn while a run is under way: between its steps, between two calls."""
        self.count("withdraw_meanwhile")

        def withdraw():
            for key in who:
                self.company.say(key, "denied")

        self.company.sync(pages, doors={door: withdraw})

    @rule()
    def approve(self):
        self.count("approve")
        self.company.approve()

    @rule()
    def apply(self):
        self.count("apply")
        self.company.apply()

    @rule(point=st.sampled_from(POINTS), hit=st.integers(1, 3),
          who=st.lists(keys, min_size=1, max_size=3, unique=True))  # fmt: skip
    def approve_withdraw_apply(self, point, hit, who):
        """What was approved goes out after a withdrawal, and the run dies on the way."""
        self.count("approve_withdraw_apply")
        if self.company.approve():
            for key in who:
                self.company.say(key, "denied")
            self.company.apply(armed=(point, hit))

    # The destinations.

    @rule(kind=st.sampled_from(FAULTS), key=st.none() | keys, times=st.integers(1, 2))
    def fault(self, kind, key, times):
        self.count("fault")
        self.world.faults += [(kind, key if kind in ("lie", "lock", "reject") else None)] * times

    @rule(key=keys, gives=st.booleans())
    def drift(self, key, gives):
        """A person edits the tags of a record."""
        self.count("drift")
        if key in self.world.live():
            has = self.world.tags[key]
            self.world.edit(key, has ^ {FOREIGN} if gives else has - set(SEGMENTS))

    @rule(where=st.sampled_from(sorted(LISTED)), gives=st.booleans())
    def drift_of_a_list(self, where, gives):
        self.count("drift_of_a_list")
        world = self.world
        has = world.lists.setdefault(where, set())
        if gives:
            stranger = f"stranger{len(has)}"
            has.add(stranger)
            world.foreign.setdefault(where, set()).add(stranger)
        elif has:
            gone = min(has)
            has.discard(gone)
            world.foreign.get(where, set()).discard(gone)
            world.disturbed.add((where, gone))

    # Time.

    @rule(days=st.integers(1, 4))
    def clock(self, days):
        self.count("clock")
        self.world.tick(timedelta(days=days))

    # At rest.

    @invariant()
    def nothing_is_wrong(self):
        self.company.watch.check()

    def rest(self):
        """Everything answers again: how many clean runs it takes until nothing differs."""
        company = self.company
        self.world.faults.clear()
        differs = ["not run"]
        for _ in range(2):
            before = len(self.world.batches)
            company.sync("whole")
            company.approve()
            company.apply()
            company.watch.check()
            if not differs:
                sent = len(self.world.batches) - before
                assert sent == 0, f"{sent} calls although nothing differed"
            differs = company.watch.differs()
        assert not differs, "two clean runs, and yet: " + "; ".join(differs)

    def teardown(self):
        try:
            if self.world.batches and not self.company.watch.problems:
                self.count("rest")
                self.rest()
        finally:
            crash.point = self._point
            self.company.close()


RULES = frozenset(
    name for name, one in vars(Machine).items() if hasattr(one, "hypothesis_stateful_rule")
)
"""The steps there are."""
