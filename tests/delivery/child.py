"""What the crash and lease tests run in a process of its own: `child.py WHAT FOLDER [TARGET]`.

`sync`: plan, approve, push. `naive`: the same differences, noted first and then sent. `lease`: take
a lease, then try a fenced write for every line on stdin.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

from toybench import LIST, NOW, TAGS, Bench  # noqa: E402
from toys import ToyTags  # noqa: E402

from audiencehub.connector import Context  # noqa: E402
from audiencehub.delivery import crash  # noqa: E402
from audiencehub.errors import HubError  # noqa: E402
from audiencehub.ledger import Ledger  # noqa: E402
from audiencehub.model import Change, TagValue, Target  # noqa: E402
from audiencehub.steps.plan import plan  # noqa: E402
from audiencehub.steps.push import push  # noqa: E402


def company(bench):
    """Tomorrow's members and consents: adds, removals, a withdrawal, a changed e-mail."""
    bench.member(warm=[0, *range(4, 12)], hot=range(3, 9))
    bench.grant([4], status="denied", at=NOW)
    bench.db.execute("UPDATE contact SET email='other@acme.example' WHERE contact_id=5")


def sync(bench):
    """One run as a scheduler would make it, with a person who approves."""
    hub = bench.hub()
    for one in plan(hub).held:
        bench.ledger.plans.approve(one.plan_id, "ann", "as intended", hub.now)
    for target in (TAGS, LIST):
        push(hub, target)


def naive(bench, folder):
    """A push that marks first: the control that must fail."""
    noted = folder / "noted.json"
    before = json.loads(noted.read_text()) if noted.exists() else {}
    wanted: dict[str, list[str]] = {}
    for number, segment in bench.db.execute(
        "SELECT id, segment FROM member ORDER BY 1, 2"
    ).fetchall():
        wanted.setdefault(f"r{number}", []).append(segment)
    members = sorted(m for m in before.keys() | wanted.keys() if before.get(m) != wanted.get(m))
    crash.point("before_sent")
    noted.write_text(json.dumps(wanted))
    crash.point("after_sent")
    toy = ToyTags(Context("crm", {"world": bench.world}, str, NOW))
    for start in range(0, len(members), 5):
        batch = [
            Change(m, "set", TagValue(tuple(wanted.get(m, [])))) for m in members[start : start + 5]
        ]
        toy.apply(Target("crm", "tag", "contact"), batch)
        crash.point("after_apply")


def lease(folder, target):
    ledger = Ledger.open(folder)
    try:
        with ledger.leases.held(target, "child") as held:
            print("taken", held.fence, flush=True)
            for _ in sys.stdin:
                with ledger.leases.fenced(held):
                    pass
                print("wrote", flush=True)
    except HubError as error:
        print(type(error).__name__, error.message, flush=True)


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2])
    if what == "lease":
        lease(where, sys.argv[3])
    else:
        made = Bench(where, guards={"removals_count": 3})
        company(made)
        sync(made) if what == "sync" else naive(made, where)
        made.close()
