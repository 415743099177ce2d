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
    s.entity = $account
    AND s.segment = $customers
    AND s.entered_at <= $now
    AND CAST((s.entered_at AT TIME ZONE 'UTC') AT TIME ZONE $company_time_zone AS DATE) < $last_90_days
), past_2 AS (
  SELECT s.id AS owner_id
  FROM stay AS s
  WHERE
    s.entity = $contact
    AND s.segment = $everyone
    AND s.left_at <= $now
    AND (s.left_at >= $start_of_last_30_days AND s.left_at < $start_of_tomorrow)
)
SELECT c.contact_id AS id
FROM contact AS c
LEFT JOIN account AS a ON a.account_id = c.account_id
WHERE
  a.account_id IN (SELECT owner_id FROM past_1)
  AND NOT coalesce(c.contact_id IN (SELECT owner_id FROM past_2), FALSE)
