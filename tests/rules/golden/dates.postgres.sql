-- end_of_next_1_month = '2026-04-30'
-- last_30_days = '2026-03-02'
-- now_less_6_hours = '2026-03-31 10:00:00'
-- start_of_day_2026_01_01 = '2026-01-01 05:00:00'
-- start_of_day_2026_04_01 = '2026-04-01 04:00:00'
-- today = '2026-03-31'
-- tomorrow = '2026-04-01'
SELECT c.contact_id AS id
FROM contact AS c
WHERE
  c.birth_date BETWEEN %(last_30_days)s AND %(today)s
  OR c.created_at <= %(now_less_6_hours)s
  OR (
    c.created_at >= %(start_of_day_2026_01_01)s
    AND c.created_at < %(start_of_day_2026_04_01)s
  )
  OR c.birth_date BETWEEN %(tomorrow)s AND %(end_of_next_1_month)s
