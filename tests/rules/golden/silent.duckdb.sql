-- login = 'login'
-- n_0 = 0
-- now = '2026-03-31 16:00:00'
-- start_of_day_2026_01_01 = '2026-01-01 05:00:00'
-- start_of_last_90_days = '2026-01-01 05:00:00'
-- start_of_tomorrow = '2026-04-01 04:00:00'
WITH event_1 AS (
  SELECT r.contact_id AS owner_id, count(*) AS value
  FROM event AS r
  WHERE
    r.contact_id IS NOT NULL
    AND (r.at IS NULL OR r.at <= $now)
    AND r.name = $login
    AND (r.at >= $start_of_last_90_days AND r.at < $start_of_tomorrow)
  GROUP BY r.contact_id
), event_2 AS (
  SELECT r.contact_id AS owner_id, max(r.at) AS value
  FROM event AS r
  WHERE r.contact_id IS NOT NULL AND (r.at IS NULL OR r.at <= $now) AND r.name = $login
  GROUP BY r.contact_id
)
SELECT c.contact_id AS id
FROM contact AS c
LEFT JOIN event_1 ON event_1.owner_id = c.contact_id
LEFT JOIN event_2 ON event_2.owner_id = c.contact_id
WHERE coalesce(event_1.value, 0) = $n_0 AND event_2.value < $start_of_day_2026_01_01
