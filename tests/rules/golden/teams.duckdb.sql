-- login = 'login'
-- n_1 = 1
-- n_3 = 3
-- now = '2026-03-31 16:00:00'
-- start_of_last_7_days = '2026-03-25 04:00:00'
-- start_of_tomorrow = '2026-04-01 04:00:00'
WITH event_1 AS (
  SELECT r.contact_id AS owner_id, count(*) AS value
  FROM event AS r
  WHERE
    r.contact_id IS NOT NULL
    AND (r.at IS NULL OR r.at <= $now)
    AND r.name = $login
    AND (r.at >= $start_of_last_7_days AND r.at < $start_of_tomorrow)
  GROUP BY r.contact_id
), contacts_1 AS (
  SELECT
    c.account_id AS owner_id,
    count(*) AS people,
    sum(CASE WHEN c.title IS NOT NULL AND coalesce(event_1.value, 0) >= $n_1 THEN 1 ELSE 0 END) AS fulfil
  FROM contact AS c
  LEFT JOIN event_1 ON event_1.owner_id = c.contact_id
  WHERE c.account_id IS NOT NULL
  GROUP BY c.account_id
)
SELECT a.account_id AS id
FROM account AS a
LEFT JOIN contacts_1 ON contacts_1.owner_id = a.account_id
WHERE coalesce(contacts_1.fulfil, 0) >= $n_3
