"""A command that begins at a signal and tells of its first try for a lease: for tests of the door.

Says `ready`, waits for a line and runs the command line's own entry; says when it first tried and
what was loaded by then. Who gets the lease says `taken` and waits for another line. Says when it
ends.
"""

from __future__ import annotations

import json
import sys
import time

from audiencehub.cli.main import run
from audiencehub.ledger.leases import Leases

take = Leases.take
tries = []


def told(self, target, run_id):
    tries.append(time.monotonic())
    if len(tries) > 1:
        return take(self, target, run_id)
    print(json.dumps({"tried": tries[0], "loaded": sorted(sys.modules)}), flush=True)
    lease = take(self, target, run_id)
    print("taken", flush=True)
    sys.stdin.readline()
    return lease


Leases.take = told
print("ready", flush=True)
sys.stdin.readline()
try:
    run()
finally:
    print(json.dumps({"ended": time.monotonic()}), flush=True)
