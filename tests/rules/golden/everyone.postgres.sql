SELECT c.contact_id AS id
FROM contact AS c
