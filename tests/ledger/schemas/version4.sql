-- A ledger of version 4 with rows in every table: identity, decisions and alerts.
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE run(
  run_id TEXT PRIMARY KEY, kind TEXT NOT NULL, env TEXT NOT NULL, state TEXT NOT NULL,
  started_at TEXT NOT NULL, finished_at TEXT, pid INTEGER NOT NULL, pid_started TEXT,
  boot_id TEXT NOT NULL, args TEXT NOT NULL, summary TEXT NOT NULL DEFAULT '{}') STRICT;
CREATE TABLE manifest(
  manifest_id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, source TEXT NOT NULL,
  stream TEXT NOT NULL, row_count INTEGER NOT NULL, complete INTEGER NOT NULL, reason TEXT,
  full_pull INTEGER NOT NULL, cursor TEXT, at TEXT NOT NULL) STRICT;
CREATE TABLE manifest_file(
  path TEXT PRIMARY KEY, manifest_id INTEGER NOT NULL REFERENCES manifest,
  position INTEGER NOT NULL, row_count INTEGER NOT NULL, sha256 TEXT NOT NULL) STRICT;
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
CREATE TABLE segment_bit(
  entity TEXT, segment TEXT, bit INTEGER NOT NULL,
  PRIMARY KEY(entity, segment), UNIQUE(entity, bit)) STRICT, WITHOUT ROWID;
CREATE TABLE quarantine(
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, stream TEXT NOT NULL, source_id TEXT NOT NULL,
  code TEXT NOT NULL, message TEXT NOT NULL, manifest_id INTEGER NOT NULL, record_ref TEXT NOT NULL,
  at TEXT NOT NULL, resolved INTEGER NOT NULL DEFAULT 0) STRICT;
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
CREATE TABLE hand_edit(
  target TEXT, member TEXT, added TEXT NOT NULL, removed TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('open','accepted','reverted')), found_at TEXT NOT NULL,
  settled_by TEXT, settled_at TEXT, PRIMARY KEY(target, member)) STRICT, WITHOUT ROWID;
CREATE TABLE audit(
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
  subject TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE TABLE merge_journal(
  merge_id INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, survivor INTEGER NOT NULL,
  loser INTEGER NOT NULL, rule TEXT NOT NULL CHECK(rule IN ('automatic','manual')),
  evidence TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL,
  undone_at TEXT, undone_by TEXT, undone_reason TEXT, after_manifest INTEGER NOT NULL DEFAULT 0, undone_after INTEGER) STRICT;
CREATE TABLE separation(
  n INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, keeps INTEGER NOT NULL,
  goes INTEGER NOT NULL, merge_id INTEGER NOT NULL REFERENCES merge_journal,
  reason TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL, lifted_at TEXT, after_manifest INTEGER NOT NULL DEFAULT 0, lifted_after INTEGER) STRICT;
CREATE TABLE person_alias(
  entity TEXT, own INTEGER, id INTEGER NOT NULL, PRIMARY KEY(entity, own)) STRICT, WITHOUT ROWID;
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
CREATE INDEX manifest_stream ON manifest(source, stream, manifest_id);
CREATE INDEX manifest_file_of ON manifest_file(manifest_id);
CREATE INDEX membership_log_of ON membership_log(entity, id, seq);
CREATE UNIQUE INDEX quarantine_open ON quarantine(source, stream, source_id, code, record_ref)
  WHERE resolved = 0;
CREATE UNIQUE INDEX plan_open ON plan(target, kind) WHERE state IN ('open','applying');
CREATE UNIQUE INDEX intent_open ON intent(target, member)
  WHERE state IN ('planned','sent','unknown');
CREATE INDEX intent_plan ON intent(plan_id, state);
CREATE INDEX intent_doubted ON intent(target) WHERE state IN ('sent','unknown');
CREATE INDEX intent_waiting ON intent(target) WHERE state='planned';
CREATE INDEX intent_run ON intent(run_id, target);
CREATE INDEX intent_member ON intent(target, member, seq);
CREATE INDEX reply_target ON reply(target, n);
CREATE INDEX merge_open ON merge_journal(entity, loser) WHERE undone_at IS NULL;
CREATE INDEX person_alias_of ON person_alias(entity, id);
CREATE INDEX merge_undone ON merge_journal(entity, undone_after) WHERE undone_after IS NOT NULL;
INSERT INTO meta VALUES('uuid', '5f0c2f6e-0000-4000-8000-000000000001');
INSERT INTO run VALUES('run_id 1', 'list', 'env 1', 'state 1', '2026-09-14T08:00:00.000000+00:00', '2026-09-14T08:00:00.000000+00:00', 1, 'pid_started 1', 'boot_id 1', '{}', '{}');
INSERT INTO run VALUES('run_id 2', 'list', 'env 2', 'state 2', '2026-09-14T08:00:00.000000+00:00', '2026-09-14T08:00:00.000000+00:00', 2, 'pid_started 2', 'boot_id 2', '{}', '{}');
INSERT INTO run VALUES('run_id 3', 'list', 'env 3', 'state 3', '2026-09-14T08:00:00.000000+00:00', '2026-09-14T08:00:00.000000+00:00', 3, 'pid_started 3', 'boot_id 3', '{}', '{}');
INSERT INTO manifest VALUES(1, 'run_id 1', 'source 1', 'stream 1', 1, 1, 'reason 1', 1, 'cursor 1', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO manifest VALUES(2, 'run_id 2', 'source 2', 'stream 2', 2, 2, 'reason 2', 2, 'cursor 2', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO manifest VALUES(3, 'run_id 3', 'source 3', 'stream 3', 3, 3, 'reason 3', 3, 'cursor 3', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO manifest_file VALUES('path 1', 1, 1, 1, 'sha256 1');
INSERT INTO manifest_file VALUES('path 2', 2, 2, 2, 'sha256 2');
INSERT INTO manifest_file VALUES('path 3', 3, 3, 3, 'sha256 3');
INSERT INTO cursor VALUES('source 1', 'stream 1', 'cursor 1', 1);
INSERT INTO cursor VALUES('source 2', 'stream 2', 'cursor 2', 2);
INSERT INTO cursor VALUES('source 3', 'stream 3', 'cursor 3', 3);
INSERT INTO person VALUES('entity 1', 'source 1', 'source_id 1', 1, '2026-09-14T08:00:00.000000+00:00');
INSERT INTO person VALUES('entity 2', 'source 2', 'source_id 2', 2, '2026-09-14T08:00:00.000000+00:00');
INSERT INTO person VALUES('entity 3', 'source 3', 'source_id 3', 3, '2026-09-14T08:00:00.000000+00:00');
INSERT INTO consent_decision VALUES(1, 'purpose 1', 'channel 1', 'source 1', 'record 1', '2026-09-14T08:00:00.000000+00:00', 'granted', 'proof 1');
INSERT INTO consent_decision VALUES(2, 'purpose 2', 'channel 2', 'source 2', 'record 2', '2026-09-14T08:00:00.000000+00:00', 'denied', 'proof 2');
INSERT INTO consent_decision VALUES(3, 'purpose 3', 'channel 3', 'source 3', 'record 3', '2026-09-14T08:00:00.000000+00:00', 'granted', 'proof 3');
INSERT INTO suppression VALUES('entity 1', 1, 'reason 1', 'who 1', '2026-09-14T08:00:00.000000+00:00', 'hmac 1');
INSERT INTO suppression VALUES('entity 2', 2, 'reason 2', 'who 2', '2026-09-14T08:00:00.000000+00:00', 'hmac 2');
INSERT INTO suppression VALUES('entity 3', 3, 'reason 3', 'who 3', '2026-09-14T08:00:00.000000+00:00', 'hmac 3');
INSERT INTO membership VALUES('entity 1', 'segment 1', 1, '2026-09-14T08:00:00.000000+00:00', 'version 1', 'reason 1');
INSERT INTO membership VALUES('entity 2', 'segment 2', 2, '2026-09-14T08:00:00.000000+00:00', 'version 2', 'reason 2');
INSERT INTO membership VALUES('entity 3', 'segment 3', 3, '2026-09-14T08:00:00.000000+00:00', 'version 3', 'reason 3');
INSERT INTO membership_log VALUES(1, 'entity 1', 1, 'segment 1', 'entered', '2026-09-14T08:00:00.000000+00:00', 'run_id 1', 'version 1', 'reason 1');
INSERT INTO membership_log VALUES(2, 'entity 2', 2, 'segment 2', 'left', '2026-09-14T08:00:00.000000+00:00', 'run_id 2', 'version 2', 'reason 2');
INSERT INTO membership_log VALUES(3, 'entity 3', 3, 'segment 3', 'entered', '2026-09-14T08:00:00.000000+00:00', 'run_id 3', 'version 3', 'reason 3');
INSERT INTO segment_bit VALUES('entity 1', 'segment 1', 1);
INSERT INTO segment_bit VALUES('entity 2', 'segment 2', 2);
INSERT INTO segment_bit VALUES('entity 3', 'segment 3', 3);
INSERT INTO quarantine VALUES(1, 'source 1', 'stream 1', 'source_id 1', 'code 1', 'message 1', 1, 'record_ref 1', '2026-09-14T08:00:00.000000+00:00', 1);
INSERT INTO quarantine VALUES(2, 'source 2', 'stream 2', 'source_id 2', 'code 2', 'message 2', 2, 'record_ref 2', '2026-09-14T08:00:00.000000+00:00', 2);
INSERT INTO quarantine VALUES(3, 'source 3', 'stream 3', 'source_id 3', 'code 3', 'message 3', 3, 'record_ref 3', '2026-09-14T08:00:00.000000+00:00', 3);
INSERT INTO target VALUES('ads/list/s1', 'ads', 'list', 's1', 'label 1', '{}');
INSERT INTO target VALUES('ads/list/s2', 'ads', 'list', 's2', 'label 2', '{}');
INSERT INTO target VALUES('ads/list/s3', 'ads', 'list', 's3', 'label 3', '{}');
INSERT INTO lease VALUES('ads/list/s1', 'holder 1', 1, 'pid_started 1', 'boot_id 1', 1, 0.5);
INSERT INTO lease VALUES('ads/list/s2', 'holder 2', 2, 'pid_started 2', 'boot_id 2', 2, 1.0);
INSERT INTO lease VALUES('ads/list/s3', 'holder 3', 3, 'pid_started 3', 'boot_id 3', 3, 1.5);
INSERT INTO plan VALUES(1, 'plan_id 1', 'ads/list/s1', 'change', 'run_id 1', '2026-09-14T08:00:00.000000+00:00', 'hash 1', 1, 1, 1, 'go', 'applying', '["warm"]', '{}', '{}', 1, 'approved_by 1', '2026-09-14T08:00:00.000000+00:00', 'reason 1', 'frozen_until 1');
INSERT INTO plan VALUES(2, 'plan_id 2', 'ads/list/s2', 'consent', 'run_id 2', '2026-09-14T08:00:00.000000+00:00', 'hash 2', 2, 2, 2, 'hold', 'done', '["warm"]', '{}', '{}', 2, 'approved_by 2', '2026-09-14T08:00:00.000000+00:00', 'reason 2', 'frozen_until 2');
INSERT INTO plan VALUES(3, 'plan_id 3', 'ads/list/s3', 'change', 'run_id 3', '2026-09-14T08:00:00.000000+00:00', 'hash 3', 3, 3, 3, 'go', 'applying', '["warm"]', '{}', '{}', 3, 'approved_by 3', '2026-09-14T08:00:00.000000+00:00', 'reason 3', 'frozen_until 3');
INSERT INTO plan_change VALUES('plan_id 1', 1, 'member 1', 1, 'op 1', 1, 'value 1', x'010203', 'value_hash 1', 'why 1', '["warm"]', '["warm"]');
INSERT INTO plan_change VALUES('plan_id 2', 2, 'member 2', 2, 'op 2', 2, 'value 2', x'020203', 'value_hash 2', 'why 2', '["warm"]', '["warm"]');
INSERT INTO plan_change VALUES('plan_id 3', 3, 'member 3', 3, 'op 3', 3, 'value 3', x'030203', 'value_hash 3', 'why 3', '["warm"]', '["warm"]');
INSERT INTO intent VALUES(1, 'plan_id 1', 'run_id 1', 'ads/list/s1', 'member 1', 1, 'add', 1, 'value 1', 'value_hash 1', 'why 1', 'sent', 1, 'batch_id 1', 1, 'proof 1', 'reason 1', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO intent VALUES(2, 'plan_id 2', 'run_id 2', 'ads/list/s2', 'member 2', 2, 'remove', 2, 'value 2', 'value_hash 2', 'why 2', 'unknown', 2, 'batch_id 2', 2, 'proof 2', 'reason 2', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO intent VALUES(3, 'plan_id 3', 'run_id 3', 'ads/list/s3', 'member 3', 3, 'set', 3, 'value 3', 'value_hash 3', 'why 3', 'confirmed', 3, 'batch_id 3', 3, 'proof 3', 'reason 3', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO believed VALUES('ads/list/s1', 'member 1', 1, 'value 1', 'value_hash 1', '2026-09-14T08:00:00.000000+00:00', 'proof 1');
INSERT INTO believed VALUES('ads/list/s2', 'member 2', 2, 'value 2', 'value_hash 2', '2026-09-14T08:00:00.000000+00:00', 'proof 2');
INSERT INTO believed VALUES('ads/list/s3', 'member 3', 3, 'value 3', 'value_hash 3', '2026-09-14T08:00:00.000000+00:00', 'proof 3');
INSERT INTO sent_identifier VALUES('ads/list/s1', 'member 1', x'010203', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO sent_identifier VALUES('ads/list/s2', 'member 2', x'020203', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO sent_identifier VALUES('ads/list/s3', 'member 3', x'030203', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO reply VALUES(1, 'batch_id 1', 'ads/list/s1', 'plan_id 1', 'run_id 1', 'outcome 1', 1, 1, 1, 1, '2026-09-14T08:00:00.000000+00:00');
INSERT INTO reply VALUES(2, 'batch_id 2', 'ads/list/s2', 'plan_id 2', 'run_id 2', 'outcome 2', 2, 2, 2, 2, '2026-09-14T08:00:00.000000+00:00');
INSERT INTO reply VALUES(3, 'batch_id 3', 'ads/list/s3', 'plan_id 3', 'run_id 3', 'outcome 3', 3, 3, 3, 3, '2026-09-14T08:00:00.000000+00:00');
INSERT INTO hand_edit VALUES('ads/list/s1', 'member 1', '["warm"]', '["warm"]', 'open', '2026-09-14T08:00:00.000000+00:00', 'settled_by 1', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO hand_edit VALUES('ads/list/s2', 'member 2', '["warm"]', '["warm"]', 'accepted', '2026-09-14T08:00:00.000000+00:00', 'settled_by 2', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO hand_edit VALUES('ads/list/s3', 'member 3', '["warm"]', '["warm"]', 'open', '2026-09-14T08:00:00.000000+00:00', 'settled_by 3', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO audit VALUES(1, '2026-09-14T08:00:00.000000+00:00', 'who 1', 'what 1', 'subject 1', '{}', 'hash 1');
INSERT INTO audit VALUES(2, '2026-09-14T08:00:00.000000+00:00', 'who 2', 'what 2', 'subject 2', '{}', 'hash 2');
INSERT INTO audit VALUES(3, '2026-09-14T08:00:00.000000+00:00', 'who 3', 'what 3', 'subject 3', '{}', 'hash 3');
INSERT INTO merge_journal VALUES(1, 'entity 1', 1, 1, 'manual', '{}', 'reason 1', 'actor 1', '2026-09-14T08:00:00.000000+00:00', NULL, NULL, NULL, 1, 1);
INSERT INTO merge_journal VALUES(2, 'entity 2', 2, 2, 'automatic', '{}', 'reason 2', 'actor 2', '2026-09-14T08:00:00.000000+00:00', NULL, NULL, NULL, 2, 2);
INSERT INTO merge_journal VALUES(3, 'entity 3', 3, 3, 'manual', '{}', 'reason 3', 'actor 3', '2026-09-14T08:00:00.000000+00:00', NULL, NULL, NULL, 3, 3);
INSERT INTO separation VALUES(1, 'entity 1', 1, 1, 1, 'reason 1', 'actor 1', '2026-09-14T08:00:00.000000+00:00', NULL, 1, 1);
INSERT INTO separation VALUES(2, 'entity 2', 2, 2, 2, 'reason 2', 'actor 2', '2026-09-14T08:00:00.000000+00:00', NULL, 2, 2);
INSERT INTO separation VALUES(3, 'entity 3', 3, 3, 3, 'reason 3', 'actor 3', '2026-09-14T08:00:00.000000+00:00', NULL, 3, 3);
INSERT INTO person_alias VALUES('entity 1', 1, 1);
INSERT INTO person_alias VALUES('entity 2', 2, 2);
INSERT INTO person_alias VALUES('entity 3', 3, 3);
INSERT INTO carried_alias VALUES('entity 1', 1, 1);
INSERT INTO carried_alias VALUES('entity 2', 2, 2);
INSERT INTO carried_alias VALUES('entity 3', 3, 3);
INSERT INTO membership_kept VALUES('entity 1', 'segment 1', 1, 1, '2026-09-14T08:00:00.000000+00:00', 'version 1', 'reason 1');
INSERT INTO membership_kept VALUES('entity 2', 'segment 2', 2, 2, '2026-09-14T08:00:00.000000+00:00', 'version 2', 'reason 2');
INSERT INTO membership_kept VALUES('entity 3', 'segment 3', 3, 3, '2026-09-14T08:00:00.000000+00:00', 'version 3', 'reason 3');
INSERT INTO merge_candidate VALUES('entity 1', 1, 1, 0.5, '["warm"]', 'open', '2026-09-14T08:00:00.000000+00:00', 'decided_by 1', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO merge_candidate VALUES('entity 2', 2, 2, 1.0, '["warm"]', 'rejected', '2026-09-14T08:00:00.000000+00:00', 'decided_by 2', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO merge_candidate VALUES('entity 3', 3, 3, 1.5, '["warm"]', 'open', '2026-09-14T08:00:00.000000+00:00', 'decided_by 3', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO alert VALUES('env 1', 'subject 1', 'list', 'warning', '2026-09-14T08:00:00.000000+00:00', 'text 1', 'do 1');
INSERT INTO alert VALUES('env 2', 'subject 2', 'list', 'critical', '2026-09-14T08:00:00.000000+00:00', 'text 2', 'do 2');
INSERT INTO alert VALUES('env 3', 'subject 3', 'list', 'warning', '2026-09-14T08:00:00.000000+00:00', 'text 3', 'do 3');
INSERT INTO alert_message VALUES(1, 'env 1', 'subject 1', 'warning', 'critical', 'text 1', 'do 1', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO alert_message VALUES(2, 'env 2', 'subject 2', 'ok', 'warning', 'text 2', 'do 2', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO alert_message VALUES(3, 'env 3', 'subject 3', 'warning', 'critical', 'text 3', 'do 3', '2026-09-14T08:00:00.000000+00:00');
INSERT INTO alert_delivery VALUES('channel 1', 1, 1, '2026-09-14T08:00:00.000000+00:00');
INSERT INTO alert_delivery VALUES('channel 2', 2, 2, '2026-09-14T08:00:00.000000+00:00');
INSERT INTO alert_delivery VALUES('channel 3', 3, 3, '2026-09-14T08:00:00.000000+00:00');
PRAGMA user_version=4;
