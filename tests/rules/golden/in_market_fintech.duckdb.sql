-- banking = 'banking'
-- customers = 'customers'
-- fintech = 'fintech'
-- last_14_days = '2026-03-18'
-- n_1 = 1
-- n_1000 = 1000
-- n_3 = 3
-- n_60_0 = 60.0
-- now = '2026-03-31 16:00:00'
-- page_view = 'page_view'
-- payment_processing = 'payment processing'
-- pricing = '/pricing'
-- salesforce = 'salesforce'
-- snowflake = 'snowflake'
-- start_of_last_30_days = '2026-03-02 05:00:00'
-- start_of_tomorrow = '2026-04-01 04:00:00'
-- today = '2026-03-31'
WITH technology_install_1 AS (
  SELECT r.account_id AS owner_id, count(*) AS value
  FROM technology_install AS r
  WHERE
    r.account_id IS NOT NULL
    AND (r.first_detected_at IS NULL OR r.first_detected_at <= $now)
    AND r.technology IN ($salesforce, $snowflake)
    AND r.is_live = TRUE
  GROUP BY r.account_id
), intent_signal_1 AS (
  SELECT r.account_id AS owner_id, count(*) AS value
  FROM (
    SELECT
      r.*,
      CASE WHEN coalesce(r.period_end, r.period_start) > $today THEN $today ELSE coalesce(r.period_end, r.period_start) END AS seen
    FROM intent_signal AS r
  ) AS r
  WHERE
    r.account_id IS NOT NULL
    AND (
      coalesce(r.period_start, r.period_end) IS NULL
      OR coalesce(r.period_start, r.period_end) <= $today
    )
    AND r.topic = $payment_processing
    AND r.score >= $n_60_0
    AND r.seen BETWEEN $last_14_days AND $today
  GROUP BY r.account_id
), event_1 AS (
  SELECT r.contact_id AS owner_id, count(*) AS value
  FROM event AS r
  WHERE
    r.contact_id IS NOT NULL
    AND (r.at IS NULL OR r.at <= $now)
    AND r.name = $page_view
    AND starts_with(r.path, $pricing)
    AND (r.at >= $start_of_last_30_days AND r.at < $start_of_tomorrow)
  GROUP BY r.contact_id
)
SELECT c.contact_id AS id
FROM contact AS c
LEFT JOIN account AS a ON a.account_id = c.account_id
LEFT JOIN technology_install_1 ON technology_install_1.owner_id = a.account_id
LEFT JOIN intent_signal_1 ON intent_signal_1.owner_id = a.account_id
LEFT JOIN event_1 ON event_1.owner_id = c.contact_id
WHERE
  a.industry IN ($fintech, $banking)
  AND a.employee_count >= $n_1000
  AND coalesce(technology_install_1.value, 0) >= $n_1
  AND coalesce(intent_signal_1.value, 0) >= $n_1
  AND coalesce(event_1.value, 0) >= $n_3
  AND NOT coalesce(a.account_id IN (SELECT m.id FROM member AS m WHERE m.segment = $customers), FALSE)
