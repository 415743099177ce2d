"""A resync in a process of its own, to be killed: `resyncing.py FOLDER`; and a naive one."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

from toybench import LIST, NOW, TAGS, Bench, email  # noqa: E402
from toys import ToyLists, ToyTags  # noqa: E402

from audiencehub.connector import Context  # noqa: E402
from audiencehub.model import Change, TagValue, Target  # noqa: E402
from audiencehub.privacy.rule import sha256  # noqa: E402
from audiencehub.steps import adopt  # noqa: E402

WARM, HOT = [0, *range(4, 12)], range(3, 9)


def today(bench):
    """Who is desired now."""
    bench.member(warm=WARM, hot=HOT)


def desired():
    tags = {f"r{n}": ("warm",) for n in WARM}
    for n in HOT:
        tags[f"r{n}"] = (*(("hot", "warm") if n in WARM else ("hot",)),)
    return tags, {sha256(email(n)) for n in WARM}


def whole(bench):
    """A resync of both targets, as `push --resync` makes it."""
    hub = bench.hub()
    for target in (TAGS, LIST):
        adopt.resync(hub, target, "ann")
    bench.sync()


def naive(bench):
    """What goes by the name elsewhere: everyone desired is sent again, nobody is removed."""
    context = Context("crm", {"world": bench.world}, str, NOW)
    place = Target("crm", "tag", "contact")
    sets = [Change(member, "set", TagValue(tags)) for member, tags in desired()[0].items()]
    ToyTags(context).apply(place, sets)
    adds = [Change(str(n), "add", identifiers={"email": sha256(email(n))}) for n in WARM]
    ToyLists(context).apply(Target("ads", "list", "warm", {"id": "aud-warm"}), adds)


if __name__ == "__main__":
    made = Bench(Path(sys.argv[1]))
    today(made)
    whole(made)
    made.close()
