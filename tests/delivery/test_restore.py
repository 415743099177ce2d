"""A ledger that was lost or put back: nobody is removed on its word until it has looked."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace

import pytest
from toybench import LIST, NOW, TAGS, one, sent
from toys import ToyLists, ToyTags

from audiencehub.errors import ConfigError
from audiencehub.ledger import Ledger
from audiencehub.ledger.custody import Custody
from audiencehub.steps import adopt
from audiencehub.steps.push import push

pytestmark = pytest.mark.fault(20)
FILES = ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm")


def closed(bench, work):
    """What somebody does to the files between two runs."""
    bench.ledger.close()
    work(bench.folder)
    bench.ledger = Ledger.open(bench.folder)
    bench.grant(range(12))  # as the next pull would


def lose(folder):
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


def keep(folder):
    (folder / "aside").mkdir(exist_ok=True)
    for name in ("ledger.sqlite", "ledger.stamp"):
        shutil.copy(folder / name, folder / "aside" / name)


def put_back(folder):
    lose(folder)
    shutil.copy(folder / "aside" / "ledger.sqlite", folder)


def put_all_back(folder):
    put_back(folder)
    shutil.copy(folder / "aside" / "ledger.stamp", folder)


def put_back_elsewhere(folder):
    put_back(folder)
    (folder / "ledger.stamp").unlink()


def lived(bench):
    """Two days: a backup between them, and people who came and went after it."""
    bench.member(warm=range(6), hot=range(3))
    bench.sync()
    closed(bench, keep)
    bench.member(warm=range(2, 9), hot=range(4, 8))
    bench.sync()
    assert bench.world.people("aud-warm") == sent(*range(2, 9))


def removals(bench):
    return [w for w in bench.world.writes.values() if w["op"] == "remove"]


def writes(bench):
    return len(bench.world.writes)


CAUSES = {
    "deleted": (lose, "other_ledger"),
    "an older copy": (put_back, "rolled_back"),
    "put back elsewhere": (put_back_elsewhere, "no_stamp"),
}


@pytest.mark.parametrize("how", CAUSES)
def test_nobody_is_removed_and_nothing_sent_until_someone_looked(bench, how):
    """The ledger is the only memory of who is on a list; an older one names the wrong people."""
    lived(bench)
    work, cause = CAUSES[how]
    closed(bench, work)
    before = bench.world.tags(), bench.world.people("aud-warm"), writes(bench)
    bench.member(warm=[3, 10], hot=[10])

    assert bench.ledger.custody.restored().cause == cause
    hub = bench.hub()
    planned = bench.plan()
    for target in (TAGS, LIST):
        found = one(planned, target)
        assert found.verdict == "hold"
        assert found.removes == 0
        assert any("adopt" in g.message for g in found.guards if g.name == "restored")
        with pytest.raises(ConfigError, match="no approval makes that good"):
            bench.ledger.plans.approve(found.plan_id or target, "ann", "go", hub.now)
        push(hub, target)

    assert (bench.world.tags(), bench.world.people("aud-warm"), writes(bench)) == before


def test_a_whole_folder_put_back_is_known_by_a_destination_that_remembers(bench, monkeypatch):
    """Ledger and stamp of one backup agree with each other; only what stands outside can tell."""
    monkeypatch.setattr(ToyLists, "can", replace(ToyLists.can, remembers=True))
    lived(bench)
    closed(bench, put_all_back)
    assert bench.ledger.custody.restored() is None
    before = writes(bench)
    bench.member(warm=[3, 10], hot=[10])

    planned = bench.plan()

    assert {p.verdict for p in planned.plans} == {"hold"}
    assert bench.ledger.custody.restored().witness == LIST
    bench.sync()
    assert writes(bench) == before


@pytest.mark.parametrize("when", ["before", "in the middle"])
def test_a_copy_taken_while_a_push_ran_is_older_than_its_end(bench, monkeypatch, when):
    """A backup may be made at any time; the second half of a push must not be forgotten."""
    monkeypatch.setattr(ToyLists, "can", replace(ToyLists.can, remembers=True))
    bench.member(warm=range(12))
    bench.plan()
    copies = []

    def copy(self):
        bench.ledger._db.run("VACUUM INTO ?", (str(bench.folder / f"copy{len(copies)}"),))
        copies.append(bench.folder / f"copy{len(copies)}")
        stamped(self)

    stamped = Custody.stamp
    monkeypatch.setattr(Custody, "stamp", copy)
    push(bench.hub(), LIST)
    monkeypatch.undo()
    monkeypatch.setattr(ToyLists, "can", replace(ToyLists.can, remembers=True))
    assert len(copies) == 4, "one before the first batch, one for each of three"

    bench.ledger.close()
    lose(bench.folder)
    shutil.copy(copies[0 if when == "before" else 2], bench.folder / "ledger.sqlite")
    # The stamp of that moment comes back with it: the two agree.
    monkeypatch.setattr(Custody, "look", lambda self: None)
    bench.ledger = Ledger.open(bench.folder)
    bench.ledger._db.run("UPDATE lease SET holder=NULL")
    bench.plan()

    assert bench.ledger.custody.restored() is not None


def test_consent_withdrawn_is_obeyed_all_the_same(bench):
    """Who said no must not stay on a list because a file was lost."""
    lived(bench)
    closed(bench, put_back)
    bench.grant([3], status="denied", at=NOW)

    bench.sync()

    assert bench.world.people("aud-warm") == sent(2, *range(4, 9))


def test_what_cannot_be_read_takes_adds_until_a_person_accepts_it(bench):
    """Meta shows nobody who is in an audience: a removal on a guess would be one."""
    lived(bench)
    closed(bench, put_back)
    bench.member(warm=[*range(2, 9), 10, 11])
    done = adopt.adopt(bench.hub(), LIST, "ann")
    assert (done.state, done.how, done.before) == ("additive", "cannot be read", "held")

    bench.member(warm=[10, 11])
    bench.db.execute("UPDATE contact SET email='new@acme.example' WHERE contact_id=1")
    planned = one(bench.plan(), LIST)
    assert (planned.adds, planned.removes) == (2, 0)
    bench.sync(LIST)
    assert bench.world.people("aud-warm") == sent(*range(2, 9), 10, 11)
    assert removals(bench) == [w for w in removals(bench) if w["member"] in ("0", "1")]

    with pytest.raises(ConfigError, match="reason"):
        adopt.settle(bench.hub(), LIST, "whole", "ann", " ")
    adopt.settle(bench.hub(), LIST, "whole", "ann", "compared the size in Ads Manager")
    bench.sync(LIST)
    assert not bench.world.people("aud-warm") & sent(*range(2, 6))
    said = [e for e in bench.ledger.audit.entries() if e.what == "adopt"]
    assert [(e.who, e.detail["how"]) for e in said] == [("ann", "accepted"), ("ann", "additive")]


def test_additive_tags_are_written_over_what_is_there(bench):
    """A record is written whole: an add on old knowledge would take newer tags from it."""
    lived(bench)
    closed(bench, put_back)
    adopt.settle(bench.hub(), TAGS, "additive", "ann", "the campaign begins today")
    before = bench.world.tags()
    bench.member(warm=[0, 9], hot=[3, 9])

    bench.sync(TAGS)

    after = bench.world.tags()
    assert all(set(tags) <= set(after[member]) for member, tags in before.items())
    assert after["r9"] == ("hot", "warm")
    assert after["r3"] == ("hot", "warm")
    assert bench.ledger.edits.list() == [], "what the hub wrote itself passed for a hand edit"


@pytest.mark.parametrize("how", CAUSES)
def test_what_can_be_read_is_adopted_and_then_brought_to_what_is_desired(bench, how):
    """After a restore there must be a way back that leaves nobody behind."""
    lived(bench)
    closed(bench, CAUSES[how][0])
    there = bench.world.tags()
    bench.member(warm=[1, 3], hot=[4])
    bench.plan()

    done = adopt.adopt(bench.hub(), TAGS, "ann")

    assert (done.state, done.how) == ("whole", "read back")
    assert done.found.read == 12
    assert json.loads(json.dumps(asdict(done)))["found"]["more"] == done.found.more
    assert bench.world.tags() == there, "reading back must write nothing"
    assert {m: b.tags for m, b in bench.ledger.delivery.believed(TAGS).items()} == {
        m: frozenset(t) for m, t in there.items()
    }
    if how == "an older copy":
        assert (dict(done.found.more), dict(done.found.fewer), done.found.agreed) == (
            {"warm": 3, "hot": 4}, {"warm": 2, "hot": 3}, 4)  # fmt: skip
    bench.sync(TAGS)
    assert bench.world.tags() == {"r1": ("warm",), "r3": ("warm",), "r4": ("hot",)}


def test_the_control_leaves_people_behind(bench, monkeypatch):
    """Without noticing, the older ledger takes its own writes for hand edits and leaves them: the
    tests above can fail."""
    lived(bench)
    monkeypatch.setattr(Custody, "look", lambda self: None)
    closed(bench, put_back)
    bench.member(warm=[1, 3], hot=[4])

    bench.sync(TAGS)
    bench.sync(TAGS)

    assert bench.world.tags() != {"r1": ("warm",), "r3": ("warm",), "r4": ("hot",)}


def test_a_stamp_that_lags_is_a_crash_and_no_restore(bench):
    """A process can die between the ledger's commit and the stamp; a false alarm after every crash
    would soon be accepted unread."""
    bench.member(warm=range(4))
    bench.sync()
    old = (bench.folder / "ledger.stamp").read_bytes()
    bench.member(warm=range(8))
    bench.sync()

    closed(bench, lambda folder: (folder / "ledger.stamp").write_bytes(old))

    assert bench.ledger.custody.restored() is None
    assert (bench.folder / "ledger.stamp").read_bytes() != old


def test_a_stamp_that_somebody_wrote_is_none(bench):
    """Else whoever puts a ledger back also puts the count right."""
    lived(bench)

    def forge(folder):
        put_back(folder)
        text = (folder / "ledger.stamp").read_text()
        (folder / "ledger.stamp").write_text(text.replace('"epoch": ', '"epoch": 0'))

    closed(bench, forge)

    assert bench.ledger.custody.restored() is not None


def test_an_upgraded_ledger_has_no_stamp_yet_and_is_no_restore(bench):
    """Every install comes from a version without stamps."""
    bench.member(warm=range(4))
    bench.sync()
    bench.ledger._db.run("UPDATE meta SET value='0' WHERE key='epoch'")

    closed(bench, lambda folder: (folder / "ledger.stamp").unlink())

    assert bench.ledger.custody.restored() is None
    assert ToyTags.can.remembers is False


@pytest.mark.parametrize("who", ["ann", "the platform"])
def test_a_resync_that_lay_in_the_copy_speaks_for_nothing(bench, who):
    """A resync was under way when the backup was made: put back, the ledger would send and remove
    on the word of whoever asked then, though nobody has looked since."""
    bench.member(warm=range(6))
    bench.sync()
    bench.ledger.resyncs.ask(LIST, who, NOW)
    closed(bench, keep)
    bench.member(warm=range(2, 9))
    bench.sync()
    closed(bench, put_back)
    before = writes(bench)
    bench.sync()
    assert writes(bench) == before
    bench.ledger.resyncs.ask(LIST, "the platform", NOW)
    bench.sync()
    assert writes(bench) == before, "nor on the platform's"
    adopt.resync(bench.hub(), LIST, "bob")
    bench.sync()
    assert bench.world.people("aud-warm") == sent(*range(2, 9))
