"""The tables of what platforms tell of lists after they were sent."""

AUDIENCES = """
CREATE TABLE job(
  target TEXT, job TEXT, rows INTEGER NOT NULL, sent_at TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('running','done','partly','failed','gone')),
  asked INTEGER NOT NULL DEFAULT 0, next_at TEXT, ended_at TEXT,
  rejected TEXT NOT NULL DEFAULT '{}', match_low REAL, match_high REAL,
  PRIMARY KEY(target, job)) STRICT, WITHOUT ROWID;
CREATE INDEX job_due ON job(next_at) WHERE next_at IS NOT NULL;
CREATE TABLE figure(
  target TEXT, at TEXT, state TEXT NOT NULL, members INTEGER NOT NULL,
  size_low INTEGER, size_high INTEGER, match_low REAL, match_high REAL,
  detail TEXT NOT NULL DEFAULT '', PRIMARY KEY(target, at)) STRICT, WITHOUT ROWID;
"""
"""`job`: what a platform works on after it took a batch, and when it is asked again; `figure`: how
large a list is there, by each time it was asked. Neither names a member."""
