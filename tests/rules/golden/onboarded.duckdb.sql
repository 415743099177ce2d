-- feature_used = 'feature_used'
-- now = '2026-03-31 16:00:00'
-- report = 'report'
-- signed_up = 'signed_up'
WITH step_1 AS (
  SELECT r.contact_id AS owner_id, r.at AS moment
  FROM event AS r
  WHERE r.contact_id IS NOT NULL AND r.at <= $now AND r.name = $signed_up
), step_2 AS (
  SELECT r.contact_id AS owner_id, r.at AS moment
  FROM event AS r
  WHERE
    r.contact_id IS NOT NULL
    AND r.at <= $now
    AND r.name = $feature_used
    AND r.feature = $report
), step_3 AS (
  SELECT r.contact_id AS owner_id, r.at AS moment
  FROM "order" AS r
  WHERE r.contact_id IS NOT NULL AND r.at <= $now
), sequence_1 AS (
  SELECT DISTINCT s1.owner_id
  FROM step_1 AS s1
  JOIN step_2 AS s2 ON s2.owner_id = s1.owner_id AND s2.moment > s1.moment
  JOIN step_3 AS s3 ON s3.owner_id = s1.owner_id AND s3.moment > s2.moment
  WHERE s3.moment <= s1.moment + INTERVAL '6 hour'
)
SELECT c.contact_id AS id
FROM contact AS c
WHERE c.contact_id IN (SELECT owner_id FROM sequence_1)
