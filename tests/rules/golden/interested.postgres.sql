-- data = 'data'
-- ml = 'ml'
-- n_0_5 = 0.5
-- n_2_0 = 2.0
-- sport = 'sport'
SELECT c.contact_id AS id
FROM contact AS c
WHERE
  c.interests && ARRAY[%(data)s, %(ml)s]
  AND (c.interests IS NOT NULL AND NOT (c.interests && ARRAY[%(sport)s]))
  AND c.weight BETWEEN %(n_0_5)s AND %(n_2_0)s
