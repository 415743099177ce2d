-- cfo = 'CFO'
-- cto = 'CTO'
-- data = 'Data'
-- officer = 'Officer'
-- pattern = '(?i)^head of \\w+$'
-- text_50_off = '50% off'
SELECT c.contact_id AS id
FROM contact AS c
WHERE
  regexp_matches(c.title, $pattern)
  OR (
    (contains(c.title, $data) OR contains(c.title, $text_50_off))
    AND ends_with(c.title, $officer)
  )
  OR NOT coalesce(c.title NOT IN ($cfo, $cto), FALSE)
