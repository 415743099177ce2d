-- login = 'login'
-- n_minus_0_5 = -0.5
-- now = '2026-03-31 16:00:00'
-- start_of_last_30_days = '2026-03-02 05:00:00'
-- start_of_last_60_days = '2026-01-31 05:00:00'
-- start_of_tomorrow = '2026-04-01 04:00:00'
WITH event_1 AS (
  SELECT
    r.owner_id AS owner_id,
    count(CASE WHEN r.at >= $start_of_last_30_days AND r.at < $start_of_tomorrow THEN 1 END) AS recent,
    count(CASE WHEN NOT coalesce(r.at >= $start_of_last_30_days AND r.at < $start_of_tomorrow, FALSE) THEN 1 END) AS before
  FROM (
    SELECT r.*, r.account_id AS owner_id
    FROM event AS r
    UNION ALL
    SELECT r.*, p.account_id AS owner_id
    FROM event AS r
    JOIN contact AS p ON p.contact_id = r.contact_id
    WHERE r.account_id IS NULL OR r.account_id <> p.account_id
  ) AS r
  WHERE
    r.owner_id IS NOT NULL
    AND (r.at IS NULL OR r.at <= $now)
    AND r.name = $login
    AND (r.at >= $start_of_last_60_days AND r.at < $start_of_tomorrow)
  GROUP BY r.owner_id
)
SELECT a.account_id AS id
FROM account AS a
LEFT JOIN event_1 ON event_1.owner_id = a.account_id
WHERE
  CASE WHEN event_1.before <> 0 THEN (coalesce(event_1.recent, 0) - event_1.before) * sign(event_1.before) END <= $n_minus_0_5 * abs(event_1.before)
