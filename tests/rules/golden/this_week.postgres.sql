-- countries_with_good_friday = ['AD', 'AG', 'AI', 'AO', 'AR', 'AU', 'AW', 'AX', … 124 in all]
-- month_day_of_end_of_next_14_days = 414
-- month_day_of_today = 331
-- time_zones = ['Africa/Abidjan', 'Africa/Accra', 'Africa/Bamako', 'Africa/Banjul', 'Africa/Bissau', 'Africa/Conakry', 'Africa/Dakar', 'Africa/Freetown', … 248 in all]
-- year_of_end_of_next_14_days = 2026
-- year_of_today = 2026
WITH yearly_1 AS (
  SELECT
    c.contact_id AS owner_id,
    extract(YEAR FROM c.birth_date) AS year,
    extract(MONTH FROM c.birth_date) * 100 + extract(DAY FROM c.birth_date) AS month_day
  FROM contact AS c
)
SELECT c.contact_id AS id
FROM contact AS c
LEFT JOIN account AS a ON a.account_id = c.account_id
LEFT JOIN yearly_1 ON yearly_1.owner_id = c.contact_id
WHERE
  coalesce(c.country, a.country) = ANY(CAST(%(countries_with_good_friday)s AS TEXT[]))
  OR greatest(%(year_of_end_of_next_14_days)s - yearly_1.year - CASE WHEN yearly_1.month_day > %(month_day_of_end_of_next_14_days)s THEN 1 ELSE 0 END, 0) > greatest(%(year_of_today)s - yearly_1.year - CASE WHEN yearly_1.month_day > %(month_day_of_today)s THEN 1 ELSE 0 END, 0)
  OR coalesce(c.timezone, a.timezone) = ANY(CAST(%(time_zones)s AS TEXT[]))
