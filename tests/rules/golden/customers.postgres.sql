-- n_0 = 0
-- n_1 = 1
-- now = '2026-03-31 16:00:00'
WITH deal_1 AS (
  SELECT r.owner_id AS owner_id, count(*) AS value
  FROM (
    SELECT r.*, r.account_id AS owner_id
    FROM deal AS r
    UNION ALL
    SELECT r.*, p.account_id AS owner_id
    FROM deal AS r
    JOIN contact AS p ON p.contact_id = r.contact_id
    WHERE r.account_id IS NULL OR r.account_id <> p.account_id
  ) AS r
  WHERE
    r.owner_id IS NOT NULL
    AND (r.created_at IS NULL OR r.created_at <= %(now)s)
    AND r.is_won = TRUE
  GROUP BY r.owner_id
)
SELECT a.account_id AS id
FROM account AS a
LEFT JOIN deal_1 ON deal_1.owner_id = a.account_id
WHERE
  coalesce(deal_1.value, 0) >= %(n_1)s
  OR (a.annual_revenue IS NULL OR a.annual_revenue > %(n_0)s)
