"""The hub under test: its real parts over the model's vendors, killed and opened again in process.

A kill closes every handle before anything is unwound, so that nothing that runs afterwards can
write: what is durable is what a SIGKILL at that line would have left.
"""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

import connectors
from audiencehub.errors import ConfigError, HubError
from audiencehub.hub import Hub
from audiencehub.landing import sweep
from audiencehub.ledger import Ledger
from audiencehub.pipeline import Caller, Job, SyncOptions, run_apply, run_sync
from audiencehub.rules.book import RuleBook
from audiencehub.rules.language.catalog import CATALOG
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.folder import read_segment
from audiencehub.settings import (
    Company as Firm,
)
from audiencehub.settings import (
    DestinationEntry,
    Guards,
    Identity,
    Settings,
    SourceEntry,
)
from audiencehub.warehouse import Warehouse
from tests.model.twin import DAYS, Known
from tests.model.watch import Watch
from tests.model.world import Killed, World, enter

RULES = {
    "warm": ("title: {contains: warm}", ("crm, as: tag", "ads, as: list")),
    "hot": ("title: {contains: hot}", ("crm, as: tag",)),
    "fresh": (f"last_seen_at: {{within: {DAYS} days}}", ("ads, as: list",)),
}
LIMITS = {"removals_count": 1, "removals_share": 0.3, "adds_count": 4, "field_share": 0.9}
QUIET = ("publish", "record", "alert", "digest")
"""Steps that change neither the ledger's deliveries nor a vendor."""
FOLDER = str(Path(__file__).parent / "vendors")


@functools.cache
def rules():
    found = {}
    for name, (when, places) in RULES.items():
        goes = "".join(f"\n  - {{to: {place}}}" for place in places)
        text = f"segment: {name}\nlabel: {name}\nmodel: intent\nof: contact\nwhen: {{{when}}}\n"
        desk = Desk(f"{name}.yaml", "USD", CATALOG)
        found[name] = read_segment(desk, f"{text}activate:{goes}\n".encode())
        assert found[name] is not None, desk.faults
    return RuleBook(found, ZoneInfo("UTC"))


@functools.cache
def blank():
    """An empty warehouse to copy: making one takes longer than a run."""
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    Warehouse.open(folder).close()
    return folder / "hub.duckdb"


class Steps(Caller):
    """The pipeline's own order, with doors between the steps."""

    def __init__(self, company, hub):
        self.company, self.hub = company, hub

    def __call__(self, name, tags, function, *args):
        return self.run(Job(name, tags, function, args))

    def run(self, job):
        if job.name in QUIET:
            return ""
        self.company.before(job.name, self.hub)
        result = super().run(job)
        self.company.done(job.name, result)
        return result


class Company:
    """One company through many runs."""

    def __init__(self, guards=None):
        if FOLDER not in connectors.__path__:
            connectors.__path__.append(FOLDER)
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.world = World()
        options = {"world": enter(self.world)}
        self.settings = Settings(
            company=Firm(name="Acme", timezone="UTC"),
            sources={"crm": SourceEntry(connector="model_crm", options=options)},
            destinations={
                "crm": DestinationEntry(connector="model_crm", options=options),
                "ads": DestinationEntry(connector="model_ads", options=options),
            },
            guards=Guards(**{**LIMITS, **(guards or {})}),
            identity=Identity(values_per_profile={"external_id": 1, "email": 50}),
            home=Path("home"),
            root=self.folder,
        )
        self.settings.folder.mkdir(parents=True)
        shutil.copy(blank(), self.settings.folder / "hub.duckdb")
        self.known, self.pending, self.torn = Known(), [], False
        self.last_full, self.runs, self.hub = 0, 0, None
        self.armed, self.passed = None, Counter()
        self.doors = {}
        """Step to what happens just before it: consent is withdrawn, a person edits."""
        self.counts = Counter()
        self._open()
        self.watch = Watch(self)
        self.world.watch, self.world.die = self.watch.sending, self.die

    def _open(self):
        self.ledger = Ledger.open(self.settings.folder)
        path = self.settings.folder / "hub.duckdb"
        connection = duckdb.connect(str(path), config={"threads": 1})
        connection.execute("SET TimeZone='UTC'")
        self.warehouse = Warehouse(self.settings.folder, connection, None)

    def close(self):
        self.ledger.close()
        self.warehouse.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What a kill is.

    def point(self, name):
        """Stands in for `crash.point`, which kills for real."""
        self.passed[name] += 1
        if self.armed == (name, self.passed[name]):
            self.die()

    def die(self):
        self.world.dead = True
        self.ledger._db._connection.close()
        self.warehouse.connection.close()
        raise Killed

    def _revive(self):
        with suppress(BaseException):
            self.ledger.close()
        with suppress(BaseException):
            self.warehouse.close()
        self.world.dead = False
        self._open()
        # Its process is gone: here it was ours, so the lease says the machine was booted since.
        self.ledger._db.run("UPDATE lease SET boot_id='before' WHERE holder IS NOT NULL")
        self.counts["killed"] += 1

    # Runs.

    def sync(self, pages="delta", armed=None, doors=None):
        """A whole run. The result; None when it was killed or stopped by an error."""
        self.world.pages = pages
        options = SyncOptions(full=pages not in ("delta", "cut"))
        self.counts["syncs"] += 1
        return self._run(lambda hub, steps: run_sync(hub, options, steps), armed, doors)

    def apply(self, armed=None, doors=None):
        """What is approved goes out. The result; None when killed, or when nothing is approved."""
        found = self.ledger._db.rows(
            "SELECT plan_id FROM plan WHERE verdict='approved' AND state IN ('open','applying')"
        )
        plans = [str(row[0]) for row in found]
        if not plans:
            return None
        self.counts["applies"] += 1
        return self._run(lambda hub, steps: run_apply(hub, plans, steps), armed, doors)

    def approve(self):
        """A person releases whatever is held; how many plans that were."""
        with suppress(ConfigError):
            held = self.ledger.plans.held()
            for plan in held:
                self.ledger.plans.approve(plan.plan_id, "ann", "as meant", self.world.tick())
            return len(held)
        return 0

    def _run(self, work, armed, doors):
        self.runs += 1
        self.armed, self.doors, self.passed = armed, dict(doors or {}), Counter()
        world = self.world
        world.tick(timedelta(minutes=1))
        world.served.clear()
        world.after = lambda target, _: self._open_doors(f"call-{target.destination}")
        hub = Hub(
            settings=self.settings, ledger=self.ledger, warehouse=self.warehouse, rules=rules(),
            run_id=f"run{self.runs}", now=world.clock,
            endpoints={"model_crm": "memory", "model_ads": "memory"},
            progress=lambda *_: self.point("progress"),
            extra={"pause": lambda _: None},
        )  # fmt: skip
        self.hub, result, died = hub, None, False
        manifests, cursor = self._landed()
        try:
            sweep(self.settings, hub.run_id, self.ledger.manifests.files())
            result = work(hub, Steps(self, hub))
        except BaseException as error:
            if world.dead:
                died = True
                self._revive()
            elif not isinstance(error, HubError):
                raise
            # A destination that stops while something of it must be settled ends the run.
            self.counts["failed"] += not died
        self.armed, self.doors = None, {}
        self._note_landing(manifests, cursor)
        if died and self.pending:
            self.torn = True
        if died:
            self.watch.moved()
        self.watch.after_run(died)
        return result

    def _open_doors(self, where):
        """What waits for `push`, for `push-ads`: once."""
        parts = where.split("-")
        for name in dict.fromkeys((parts[0], "-".join(parts[:2]))):
            act = self.doors.pop(name, None)
            if act is not None and not self.world.dead:
                act()

    def before(self, step, hub):
        self.point(f"step {step.partition('-')[0]}")
        self._open_doors(step)
        if step == "normalize":
            self._note_landing(*self._before_landing)
        if step == "plan":
            self.watch.planning(hub)

    def done(self, step, result):
        if step == "resolve" or (step == "refresh" and result):
            self._resolved()
        if step == "segment":
            self.watch.segmented()

    # What the model is told.

    def _landed(self):
        self._before_landing = (
            len(self.ledger.manifests.after(0)),
            self.ledger.manifests.cursor("crm", "contact"),
        )
        return self._before_landing

    def _note_landing(self, before, cursor):
        """A pull counts when it is landed, complete or not."""
        found = self.ledger.manifests.after(0)
        if len(found) == before or not self.world.served:
            return
        sent, full, complete = self.world.served.pop()
        if full and not sent and self.world.pages == "empty":
            complete = not self.last_full
        moved = self.ledger.manifests.cursor("crm", "contact") != cursor
        self.watch.landed(found[-1].complete, complete, moved)
        if full and complete:
            self.last_full = len(sent)
        self.pending.append((sent, full, complete))

    def _resolved(self):
        for pulled in self.pending:
            self.known.read(*pulled)
            self.known.listen()
        self.pending, self.torn = [], False
        self.known.groups = self.watch.persons()
        self.watch.evaluated = False

    def possible(self):
        """What the hub may know: after a kill while reading, also what was landed."""
        found = [self.known]
        if self.torn:
            later = self.known.copy()
            for pulled in self.pending:
                later.read(*pulled)
                later.listen()
            found.append(later)
        return found

    # What people tell the hub directly.

    def number(self, key):
        """The hub's number of a record; None while it has not been read."""
        row = self.ledger._db.row(
            "SELECT id FROM person WHERE entity='contact' AND source='crm' AND source_id=?", (key,)
        )
        return None if row is None else int(row[0])

    def keys(self):
        """Every number to its record."""
        rows = self.ledger._db.rows("SELECT id, source_id FROM person WHERE entity='contact'")
        return {int(number): str(key) for number, key in rows}

    def say(self, key, status):
        """A word about advertising, given to the hub itself."""
        number = self.number(key)
        if number is not None:
            at = self.world.tick()
            self.ledger.consent.record(
                [(number, "advertising", "ads", status, "desk", at, "signed")]
            )
            self.known.say(key, "desk", status, at)

    def suppress(self, key):
        """A person is to reach no destination any more."""
        number = self.number(key)
        if number is None:
            return
        self.ledger.consent.suppress("contact", [number], "erasure", "dpo", self.world.tick())
        keys = self.keys()
        self.known.suppressed |= {key} | {
            keys[own] for own in self.ledger.merges.owns("contact", number)
        }

    def join(self, one, other):
        """A person says that two records are one."""
        numbers = [self.number(one), self.number(other)]
        if None not in numbers:
            with suppress(ConfigError):
                self.ledger.merges.join("contact", *numbers, "ann", self.world.tick(), "the same")

    def part(self, place):
        """A person takes a merge back."""
        found = self.ledger.merges.open("contact")
        if found:
            merge = found[place % len(found)]
            self.ledger.merges.undo(merge.merge_id, "ann", self.world.tick(), "not the same")
