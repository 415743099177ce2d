-- negotiation = 'negotiation'
-- now = '2026-03-31 16:00:00'
WITH deal_1 AS (
  SELECT owner_id, value
  FROM (
    SELECT
      r.owner_id AS owner_id,
      r.stage AS value,
      row_number() OVER (PARTITION BY r.owner_id ORDER BY r.close_date DESC, r.stage COLLATE "C" DESC) AS place
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
      AND NOT coalesce(r.is_closed = TRUE, FALSE)
      AND r.close_date IS NOT NULL
      AND r.stage IS NOT NULL
  ) AS placed
  WHERE place = 1
)
SELECT a.account_id AS id
FROM account AS a
LEFT JOIN deal_1 ON deal_1.owner_id = a.account_id
WHERE deal_1.value = %(negotiation)s
