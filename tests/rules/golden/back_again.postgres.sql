-- account = 'account'
-- company_time_zone = 'America/New_York'
-- contact = 'contact'
-- customers = 'customers'
-- everyone = 'everyone'
-- last_90_days = '2026-01-01'
-- now = '2026-03-31 16:00:00'
-- start_of_last_30_days = '2026-03-02 05:00:00'
-- start_of_tomorrow = '2026-04-01 04:00:00'
WITH past_1 AS (
  SELECT s.id AS owner_id
  FROM stay AS s
  WHERE
    s.entity = %(account)s
    AND s.segment = %(customers)s
    AND s.entered_at <= %(now)s
    AND CAST((s.entered_at AT TIME ZONE 'UTC') AT TIME ZONE %(company_time_zone)s AS DATE) < %(last_90_days)s
), past_2 AS (
  SELECT s.id AS owner_id
  FROM stay AS s
  WHERE
    s.entity = %(contact)s
    AND s.segment = %(everyone)s
    AND s.left_at <= %(now)s
    AND (s.left_at >= %(start_of_last_30_days)s AND s.left_at < %(start_of_tomorrow)s)
)
SELECT c.contact_id AS id
FROM contact AS c
LEFT JOIN account AS a ON a.account_id = c.account_id
WHERE
  a.account_id IN (SELECT owner_id FROM past_1)
  AND NOT coalesce(c.contact_id IN (SELECT owner_id FROM past_2), FALSE)
