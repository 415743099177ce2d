-- cfo = 'CFO'
-- cto = 'CTO'
-- data = 'Data'
-- officer = 'Officer'
-- pattern = '(?:^[Hh][Ee][Aa][Dd] [Oo][Ff] [0-9A-Z\\u005Fa-z\\u017F\\u212A]+$)'
-- text_50_off = '50% off'
SELECT c.contact_id AS id
FROM contact AS c
WHERE
  c.title ~ %(pattern)s
  OR (
    (
      position(%(data)s IN c.title) > 0
      OR position(%(text_50_off)s IN c.title) > 0
    )
    AND right(c.title, length(%(officer)s)) = %(officer)s
  )
  OR NOT coalesce(c.title NOT IN (%(cfo)s, %(cto)s), FALSE)
