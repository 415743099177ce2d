"""The tables of custody: what tells an older copy of the ledger from the one that sent last."""

CUSTODY = """
CREATE TABLE restore(
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  cause TEXT NOT NULL CHECK(cause IN ('rolled_back','other_ledger','no_stamp')),
  own INTEGER NOT NULL, seen INTEGER NOT NULL, witness TEXT NOT NULL, at TEXT) STRICT;
CREATE TABLE former(ledger TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE custody(
  target TEXT PRIMARY KEY, restore INTEGER NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('additive','whole')), how TEXT NOT NULL,
  who TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE resync(
  target TEXT PRIMARY KEY, after_seq INTEGER NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL,
  done_at TEXT) STRICT, WITHOUT ROWID;
ALTER TABLE manifest ADD COLUMN purged_at TEXT;
INSERT INTO meta VALUES('epoch', '0');
"""
"""`restore`: when the ledger was found lost or put back; `former`: ledgers of which that was seen;
`custody`: how far each target is trusted since; `resync`: what was asked to be sent anew, counted
from the last intent before; `purged_at`: a pull whose pages were let go; `epoch`: batches sent."""

ASKED = """
ALTER TABLE resync ADD COLUMN restore INTEGER NOT NULL DEFAULT 0;
"""
"""After which restore a resync was asked for: one that lay in the copy speaks for nothing."""
