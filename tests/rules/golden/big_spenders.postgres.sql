-- company_time_zone = 'America/New_York'
-- n_3 = 3
-- n_49_99 = 49.99
-- n_500 = 500
-- now = '2026-03-31 16:00:00'
-- start_of_last_12_weeks = '2026-01-07 05:00:00'
-- start_of_last_1_year = '2025-04-01 04:00:00'
-- start_of_tomorrow = '2026-04-01 04:00:00'
WITH order_1 AS (
  SELECT r.contact_id AS owner_id, sum(r.total) AS value
  FROM "order" AS r
  WHERE
    r.contact_id IS NOT NULL
    AND (r.at IS NULL OR r.at <= %(now)s)
    AND (r.at >= %(start_of_last_1_year)s AND r.at < %(start_of_tomorrow)s)
  GROUP BY r.contact_id
), order_2 AS (
  SELECT r.contact_id AS owner_id, sum(r.total) AS total, count(r.total) AS known
  FROM "order" AS r
  WHERE r.contact_id IS NOT NULL AND (r.at IS NULL OR r.at <= %(now)s)
  GROUP BY r.contact_id
), order_3 AS (
  SELECT
    r.contact_id AS owner_id,
    count(DISTINCT CAST((r.at AT TIME ZONE 'UTC') AT TIME ZONE %(company_time_zone)s AS DATE)) AS value
  FROM "order" AS r
  WHERE
    r.contact_id IS NOT NULL
    AND (r.at IS NULL OR r.at <= %(now)s)
    AND (r.at >= %(start_of_last_12_weeks)s AND r.at < %(start_of_tomorrow)s)
  GROUP BY r.contact_id
)
SELECT c.contact_id AS id
FROM contact AS c
LEFT JOIN order_1 ON order_1.owner_id = c.contact_id
LEFT JOIN order_2 ON order_2.owner_id = c.contact_id
LEFT JOIN order_3 ON order_3.owner_id = c.contact_id
WHERE
  coalesce(order_1.value, 0) >= %(n_500)s
  AND order_2.total > %(n_49_99)s * order_2.known
  AND coalesce(order_3.value, 0) >= %(n_3)s
