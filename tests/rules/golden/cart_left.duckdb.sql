-- cart_updated = 'cart_updated'
-- company_time_zone = 'America/New_York'
-- now = '2026-03-31 16:00:00'
-- start_of_last_30_days = '2026-03-02 05:00:00'
-- start_of_tomorrow = '2026-04-01 04:00:00'
-- today = '2026-03-31'
WITH step_1 AS (
  SELECT
    r.contact_id AS owner_id,
    r.at AS moment,
    CAST((r.at AT TIME ZONE 'UTC') AT TIME ZONE $company_time_zone AS DATE) AS day
  FROM event AS r
  WHERE
    r.contact_id IS NOT NULL
    AND r.at <= $now
    AND r.name = $cart_updated
    AND (r.at >= $start_of_last_30_days AND r.at < $start_of_tomorrow)
), step_2 AS (
  SELECT
    r.contact_id AS owner_id,
    r.at AS moment,
    CAST((r.at AT TIME ZONE 'UTC') AT TIME ZONE $company_time_zone AS DATE) AS day
  FROM "order" AS r
  WHERE r.contact_id IS NOT NULL AND r.at <= $now
), sequence_1 AS (
  SELECT DISTINCT s1.owner_id
  FROM step_1 AS s1
  LEFT JOIN step_2 AS s2 ON
    s2.owner_id = s1.owner_id
    AND s2.moment > s1.moment
    AND s2.day <= s1.day + INTERVAL '3 day'
  WHERE s2.owner_id IS NULL AND $today > s1.day + INTERVAL '3 day'
)
SELECT c.contact_id AS id
FROM contact AS c
WHERE c.contact_id IN (SELECT owner_id FROM sequence_1)
