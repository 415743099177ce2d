-- n_13_405 = 13.405
-- n_30 = 30
-- n_52_52 = 52.52
WITH distance_1 AS (
  SELECT
    owner_id,
    CAST(round(12742017.6 * atan2(sqrt(share), sqrt(greatest(1 - share, 0)))) AS BIGINT) AS metres
  FROM (
    SELECT
      c.contact_id AS owner_id,
      power(sin(radians(c.latitude - %(n_52_52)s) / 2), 2) + cos(radians(%(n_52_52)s)) * cos(radians(c.latitude)) * power(sin(radians(c.longitude - %(n_13_405)s) / 2), 2) AS share
    FROM contact AS c
    WHERE c.latitude BETWEEN -90 AND 90 AND c.longitude BETWEEN -180 AND 180
  ) AS haversine
)
SELECT c.contact_id AS id
FROM contact AS c
LEFT JOIN distance_1 ON distance_1.owner_id = c.contact_id
WHERE distance_1.metres <= %(n_30)s * 1000
