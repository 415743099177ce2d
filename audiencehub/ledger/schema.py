"""The ledger's tables and their migrations: each one a list of statements, applied in order."""

from __future__ import annotations

from audiencehub.ledger.schema_audiences import AUDIENCES
from audiencehub.ledger.schema_custody import ASKED, CUSTODY

FIRST = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE run(
  run_id TEXT PRIMARY KEY, kind TEXT NOT NULL, env TEXT NOT NULL, state TEXT NOT NULL,
  started_at TEXT NOT NULL, finished_at TEXT, pid INTEGER NOT NULL, pid_started TEXT,
  boot_id TEXT NOT NULL, args TEXT NOT NULL, summary TEXT NOT NULL DEFAULT '{}') STRICT;

CREATE TABLE manifest(
  manifest_id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, source TEXT NOT NULL,
  stream TEXT NOT NULL, row_count INTEGER NOT NULL, complete INTEGER NOT NULL, reason TEXT,
  full_pull INTEGER NOT NULL, cursor TEXT, at TEXT NOT NULL) STRICT;
CREATE INDEX manifest_stream ON manifest(source, stream, manifest_id);
CREATE TABLE manifest_file(
  path TEXT PRIMARY KEY, manifest_id INTEGER NOT NULL REFERENCES manifest,
  position INTEGER NOT NULL, row_count INTEGER NOT NULL, sha256 TEXT NOT NULL) STRICT;
CREATE INDEX manifest_file_of ON manifest_file(manifest_id);
CREATE TABLE cursor(
  source TEXT, stream TEXT, cursor TEXT NOT NULL, manifest_id INTEGER NOT NULL,
  PRIMARY KEY(source, stream)) STRICT, WITHOUT ROWID;

CREATE TABLE person(
  entity TEXT, source TEXT, source_id TEXT, id INTEGER NOT NULL, first_seen TEXT,
  PRIMARY KEY(entity, source, source_id), UNIQUE(entity, id)) STRICT, WITHOUT ROWID;

CREATE TABLE consent_decision(
  person_id INTEGER, purpose TEXT, channel TEXT, source TEXT, record TEXT, at TEXT,
  status TEXT NOT NULL CHECK(status IN ('granted','denied')), proof TEXT,
  PRIMARY KEY(person_id, purpose, channel, source, record, at, status)) STRICT, WITHOUT ROWID;
CREATE TABLE suppression(
  entity TEXT, id INTEGER, reason TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL, hmac TEXT,
  PRIMARY KEY(entity, id)) STRICT, WITHOUT ROWID;

CREATE TABLE membership(
  entity TEXT, segment TEXT, id INTEGER, since TEXT NOT NULL, version TEXT NOT NULL,
  reason TEXT NOT NULL, PRIMARY KEY(entity, segment, id)) STRICT, WITHOUT ROWID;
CREATE TABLE membership_log(
  seq INTEGER PRIMARY KEY, entity TEXT NOT NULL, id INTEGER NOT NULL, segment TEXT NOT NULL,
  op TEXT NOT NULL CHECK(op IN ('entered','left')), at TEXT NOT NULL, run_id TEXT NOT NULL,
  version TEXT, reason TEXT NOT NULL) STRICT;
CREATE INDEX membership_log_of ON membership_log(entity, id, seq);
CREATE TABLE segment_bit(
  entity TEXT, segment TEXT, bit INTEGER NOT NULL,
  PRIMARY KEY(entity, segment), UNIQUE(entity, bit)) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine(
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, stream TEXT NOT NULL, source_id TEXT NOT NULL,
  code TEXT NOT NULL, message TEXT NOT NULL, manifest_id INTEGER NOT NULL, record_ref TEXT NOT NULL,
  at TEXT NOT NULL, resolved INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE UNIQUE INDEX quarantine_open ON quarantine(source, stream, source_id, code, record_ref)
  WHERE resolved = 0;

CREATE TABLE target(
  target TEXT PRIMARY KEY, destination TEXT NOT NULL, kind TEXT NOT NULL, place TEXT NOT NULL,
  label TEXT NOT NULL, remote TEXT NOT NULL DEFAULT '{}') STRICT, WITHOUT ROWID;
CREATE TABLE lease(
  target TEXT PRIMARY KEY, holder TEXT, pid INTEGER, pid_started TEXT, boot_id TEXT,
  fence INTEGER NOT NULL, beat_mono REAL) STRICT;

CREATE TABLE plan(
  n INTEGER PRIMARY KEY, plan_id TEXT NOT NULL UNIQUE, target TEXT NOT NULL,
  kind TEXT NOT NULL CHECK(kind IN ('consent','change')), run_id TEXT NOT NULL, at TEXT NOT NULL,
  hash TEXT NOT NULL, n_add INTEGER NOT NULL, n_remove INTEGER NOT NULL, n_set INTEGER NOT NULL,
  verdict TEXT NOT NULL CHECK(verdict IN ('go','hold','approved','void')),
  state TEXT NOT NULL CHECK(state IN ('open','applying','done','void')),
  guards TEXT NOT NULL, excluded TEXT NOT NULL, versions TEXT NOT NULL, calls INTEGER NOT NULL,
  approved_by TEXT, approved_at TEXT, reason TEXT, frozen_until TEXT) STRICT;
CREATE UNIQUE INDEX plan_open ON plan(target, kind) WHERE state IN ('open','applying');
CREATE TABLE plan_change(
  plan_id TEXT, position INTEGER, member TEXT NOT NULL, person INTEGER, op TEXT NOT NULL,
  phase INTEGER NOT NULL, value TEXT, sealed BLOB, value_hash TEXT NOT NULL, why TEXT NOT NULL,
  enters TEXT NOT NULL, leaves TEXT NOT NULL,
  PRIMARY KEY(plan_id, position)) STRICT, WITHOUT ROWID;

CREATE TABLE intent(
  seq INTEGER PRIMARY KEY, plan_id TEXT NOT NULL, run_id TEXT NOT NULL, target TEXT NOT NULL,
  member TEXT NOT NULL, person INTEGER, op TEXT NOT NULL CHECK(op IN ('add','remove','set')),
  phase INTEGER NOT NULL, value TEXT, value_hash TEXT NOT NULL, why TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN
    ('planned','sent','unknown','confirmed','rejected','quarantined','superseded')),
  attempts INTEGER NOT NULL DEFAULT 0, batch_id TEXT, fence INTEGER NOT NULL, proof TEXT,
  reason TEXT, at TEXT NOT NULL, CHECK(state <> 'confirmed' OR proof IS NOT NULL)) STRICT;
CREATE UNIQUE INDEX intent_open ON intent(target, member)
  WHERE state IN ('planned','sent','unknown');
CREATE INDEX intent_plan ON intent(plan_id, state);
CREATE INDEX intent_doubted ON intent(target) WHERE state IN ('sent','unknown');
CREATE INDEX intent_waiting ON intent(target) WHERE state='planned';
CREATE INDEX intent_run ON intent(run_id, target);
CREATE INDEX intent_member ON intent(target, member, seq);
CREATE TABLE believed(
  target TEXT, member TEXT, person INTEGER, value TEXT, value_hash TEXT NOT NULL,
  confirmed_at TEXT NOT NULL, proof TEXT NOT NULL,
  PRIMARY KEY(target, member)) STRICT, WITHOUT ROWID;
CREATE TABLE sent_identifier(
  target TEXT, member TEXT, sealed BLOB NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY(target, member)) STRICT, WITHOUT ROWID;
CREATE TABLE reply(
  n INTEGER PRIMARY KEY, batch_id TEXT NOT NULL, target TEXT NOT NULL, plan_id TEXT NOT NULL,
  run_id TEXT NOT NULL, outcome TEXT NOT NULL, confirmed INTEGER NOT NULL,
  rejected INTEGER NOT NULL, retried INTEGER NOT NULL, unknown INTEGER NOT NULL,
  at TEXT NOT NULL) STRICT;
CREATE INDEX reply_target ON reply(target, n);
CREATE TABLE hand_edit(
  target TEXT, member TEXT, added TEXT NOT NULL, removed TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('open','accepted','reverted')), found_at TEXT NOT NULL,
  settled_by TEXT, settled_at TEXT, PRIMARY KEY(target, member)) STRICT, WITHOUT ROWID;

CREATE TABLE audit(
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
  subject TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
"""

IDENTITY = """
CREATE TABLE merge_journal(
  merge_id INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, survivor INTEGER NOT NULL,
  loser INTEGER NOT NULL, rule TEXT NOT NULL CHECK(rule IN ('automatic','manual')),
  evidence TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL,
  undone_at TEXT, undone_by TEXT, undone_reason TEXT) STRICT;
CREATE INDEX merge_open ON merge_journal(entity, loser) WHERE undone_at IS NULL;
CREATE TABLE separation(
  n INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, keeps INTEGER NOT NULL,
  goes INTEGER NOT NULL, merge_id INTEGER NOT NULL REFERENCES merge_journal,
  reason TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL, lifted_at TEXT) STRICT;
CREATE TABLE person_alias(
  entity TEXT, own INTEGER, id INTEGER NOT NULL, PRIMARY KEY(entity, own)) STRICT, WITHOUT ROWID;
CREATE INDEX person_alias_of ON person_alias(entity, id);
CREATE TABLE carried_alias(
  entity TEXT, own INTEGER, id INTEGER NOT NULL, PRIMARY KEY(entity, own)) STRICT, WITHOUT ROWID;
CREATE TABLE membership_kept(
  entity TEXT, segment TEXT, id INTEGER, "into" INTEGER NOT NULL, since TEXT NOT NULL,
  version TEXT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY(entity, segment, id)) STRICT, WITHOUT ROWID;
CREATE TABLE merge_candidate(
  entity TEXT, low INTEGER, high INTEGER, score REAL NOT NULL, fields TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('open','accepted','rejected')), found_at TEXT NOT NULL,
  decided_by TEXT, decided_at TEXT, PRIMARY KEY(entity, low, high)) STRICT, WITHOUT ROWID;
"""
"""Who was joined to whom. `own`: the id that a record was given first; `id`: whose it is now."""

DECIDED_AFTER = """
ALTER TABLE merge_journal ADD COLUMN after_manifest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE merge_journal ADD COLUMN undone_after INTEGER;
CREATE INDEX merge_undone ON merge_journal(entity, undone_after) WHERE undone_after IS NOT NULL;
ALTER TABLE separation ADD COLUMN after_manifest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE separation ADD COLUMN lifted_after INTEGER;
"""
"""Which manifest was the newest when a person decided: what was landed later, and nothing before,
is read under the decision."""

ALERTS = """
CREATE TABLE alert(
  env TEXT, subject TEXT, kind TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('warning','critical','recovered')), since TEXT NOT NULL,
  text TEXT NOT NULL, do TEXT NOT NULL, PRIMARY KEY(env, subject)) STRICT, WITHOUT ROWID;
CREATE TABLE alert_message(
  n INTEGER PRIMARY KEY AUTOINCREMENT, env TEXT NOT NULL, subject TEXT NOT NULL,
  before TEXT NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL, do TEXT NOT NULL,
  at TEXT NOT NULL, CHECK(state <> before)) STRICT;
CREATE TABLE alert_delivery(
  channel TEXT, n INTEGER REFERENCES alert_message, attempts INTEGER NOT NULL DEFAULT 0,
  sent_at TEXT, PRIMARY KEY(channel, n)) STRICT, WITHOUT ROWID;
"""

FORGETTING = """
CREATE TABLE forgetting(
  person TEXT PRIMARY KEY, state TEXT NOT NULL CHECK(state IN ('open','done')), who TEXT NOT NULL,
  reason TEXT NOT NULL, asked_at TEXT NOT NULL, finished_at TEXT, owns TEXT NOT NULL, sealed BLOB,
  found TEXT NOT NULL DEFAULT '{}', certificate TEXT,
  CHECK(state <> 'done' OR (sealed IS NULL AND certificate IS NOT NULL))) STRICT, WITHOUT ROWID;
CREATE TABLE tombstone(
  hmac TEXT PRIMARY KEY, kind TEXT NOT NULL,
  person TEXT NOT NULL REFERENCES forgetting) STRICT, WITHOUT ROWID;
CREATE INDEX tombstone_of ON tombstone(person);
"""
"""Who asked to be forgotten: keyed digests and counts only, but for `sealed`, which is encrypted
and goes when the last step is done."""

PLANS = """
ALTER TABLE plan ADD COLUMN n_write INTEGER NOT NULL DEFAULT 0;
ALTER TABLE plan ADD COLUMN basis TEXT NOT NULL DEFAULT '{}';
ALTER TABLE plan ADD COLUMN ended TEXT;
CREATE TABLE quota(
  destination TEXT PRIMARY KEY, name TEXT NOT NULL, unit TEXT NOT NULL, allowed INTEGER,
  remaining INTEGER, resets TEXT NOT NULL, at TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""
"""How many rows a plan sends, what it rests on beside data, why it is void; what an API still
allowed when it was last asked."""

SUPPRESSING = """
CREATE TABLE suppression_mark(
  hmac TEXT PRIMARY KEY, kind TEXT NOT NULL, reason TEXT NOT NULL, who TEXT NOT NULL,
  at TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""
"""Identifiers that may reach no destination, as keyed digests: whoever has one is suppressed."""

MIGRATIONS: tuple[str, ...] = (
    FIRST, IDENTITY, DECIDED_AFTER, ALERTS, FORGETTING, PLANS, CUSTODY, SUPPRESSING, AUDIENCES,
    ASKED,
)  # fmt: skip
"""Version n is reached by the n-th script; never edit one that was released, append."""
