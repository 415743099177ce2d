-- data = 'data'
-- ml = 'ml'
-- n_0_5 = 0.5
-- n_2_0 = 2.0
-- sport = 'sport'
SELECT c.contact_id AS id
FROM contact AS c
WHERE
  list_has_any(c.interests, [$data, $ml])
  AND (c.interests IS NOT NULL AND NOT (list_has_any(c.interests, [$sport])))
  AND c.weight BETWEEN $n_0_5 AND $n_2_0
