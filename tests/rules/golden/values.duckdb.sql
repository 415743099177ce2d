-- demo_requested = 'demo_requested'
-- n_10_5 = 10.5
-- now = '2026-03-31 16:00:00'
-- web = 'web'
WITH event_1 AS (
  SELECT
    r.contact_id AS owner_id,
    sum(CASE WHEN abs(r.value) < 1e22 THEN CAST(CAST(r.value AS VARCHAR) AS DECIMAL(28, 6)) END) AS value
  FROM event AS r
  WHERE
    r.contact_id IS NOT NULL
    AND (r.at IS NULL OR r.at <= $now)
    AND (r.name = $demo_requested OR r.channel <> $web)
  GROUP BY r.contact_id
)
SELECT c.contact_id AS id
FROM contact AS c
LEFT JOIN event_1 ON event_1.owner_id = c.contact_id
WHERE coalesce(event_1.value, 0) >= $n_10_5
