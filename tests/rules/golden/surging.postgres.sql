-- crm_software = 'crm software'
-- last_90_days = '2026-01-01'
-- left_with_half_life_14 = [1.000000, 0.951695, 0.905724, 0.861973, 0.820335, 0.780709, 0.742997, 0.707107, … 295 in all]
-- n_294 = 294
-- n_40 = 40
-- today = '2026-03-31'
WITH intent_signal_1 AS (
  SELECT
    r.account_id AS owner_id,
    max(CASE WHEN abs(r.score) < 1e12 THEN CAST(CAST(r.score AS TEXT) AS DECIMAL(28, 6)) END * (CAST(%(left_with_half_life_14)s AS DECIMAL(7, 6)[]))[least(%(today)s - r.seen, %(n_294)s) + 1]) AS value
  FROM (
    SELECT
      r.*,
      CASE WHEN coalesce(r.period_end, r.period_start) > %(today)s THEN %(today)s ELSE coalesce(r.period_end, r.period_start) END AS seen
    FROM intent_signal AS r
  ) AS r
  WHERE
    r.account_id IS NOT NULL
    AND r.seen IS NOT NULL
    AND (
      coalesce(r.period_start, r.period_end) IS NULL
      OR coalesce(r.period_start, r.period_end) <= %(today)s
    )
    AND r.topic = %(crm_software)s
    AND r.seen BETWEEN %(last_90_days)s AND %(today)s
  GROUP BY r.account_id
)
SELECT c.contact_id AS id
FROM contact AS c
LEFT JOIN account AS a ON a.account_id = c.account_id
LEFT JOIN intent_signal_1 ON intent_signal_1.owner_id = a.account_id
WHERE intent_signal_1.value >= %(n_40)s
