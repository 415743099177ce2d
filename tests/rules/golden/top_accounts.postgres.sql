-- n_0_1 = 0.1
-- n_5 = 5
WITH rank_1 AS (
  SELECT
    a.account_id AS owner_id,
    rank() OVER (PARTITION BY a.industry ORDER BY a.annual_revenue DESC) AS place,
    count(*) OVER (PARTITION BY a.industry) AS people
  FROM account AS a
  WHERE a.annual_revenue IS NOT NULL AND a.industry IS NOT NULL
), rank_2 AS (
  SELECT
    a.account_id AS owner_id,
    rank() OVER (ORDER BY a.employee_count ASC) AS place,
    count(*) OVER () AS people
  FROM account AS a
  WHERE a.employee_count IS NOT NULL
)
SELECT a.account_id AS id
FROM account AS a
LEFT JOIN rank_1 ON rank_1.owner_id = a.account_id
LEFT JOIN rank_2 ON rank_2.owner_id = a.account_id
WHERE rank_1.place - 1 < %(n_0_1)s * rank_1.people OR rank_2.place <= %(n_5)s
