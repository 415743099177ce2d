DROP TABLE IF EXISTS trait_account;

CREATE TABLE trait_account(account_id BIGINT);

INSERT INTO trait_account SELECT account_id FROM account;

DROP TABLE IF EXISTS trait_contact;

CREATE TABLE trait_contact(contact_id BIGINT);

INSERT INTO trait_contact SELECT contact_id FROM contact;

CREATE TABLE trait_staging(account_id BIGINT, size VARCHAR);

-- large = 'large'
-- n_50 = 50
-- small = 'small'
INSERT INTO trait_staging
SELECT
  a.account_id,
  CAST(CASE WHEN a.employee_count IS NULL THEN NULL WHEN a.employee_count < $n_50 THEN $small ELSE $large END AS VARCHAR)
FROM account AS a
LEFT JOIN trait_account ON trait_account.account_id = a.account_id;

DROP TABLE trait_account;

ALTER TABLE trait_staging RENAME TO trait_account;

CREATE TABLE trait_staging(contact_id BIGINT, churn DECIMAL(38, 6), favourite VARCHAR, fit BIGINT, "rfm.days" BIGINT, "rfm.count" BIGINT, "rfm.sum" DECIMAL(38, 6), spend DECIMAL(38, 6));

-- churn = 'churn'
-- company_time_zone = 'America/New_York'
-- contact = 'contact'
-- data = 'Data'
-- now = '2026-03-31 16:00:00'
-- start_of_last_1_year = '2025-04-01 04:00:00'
-- start_of_last_7_days = '2026-03-25 04:00:00'
-- start_of_tomorrow = '2026-04-01 04:00:00'
-- today = '2026-03-31'
INSERT INTO trait_staging
WITH score_1 AS (
  SELECT id AS owner_id, value
  FROM (
    SELECT
      s.id,
      s.value,
      row_number() OVER (PARTITION BY s.id ORDER BY s.at DESC, s.value DESC) AS place
    FROM model_score AS s
    WHERE
      s.model = $churn
      AND s.entity = $contact
      AND s.at <= $now
      AND s.value IS NOT NULL
      AND (s.at >= $start_of_last_7_days AND s.at < $start_of_tomorrow)
  ) AS placed
  WHERE place = 1
), event_1 AS (
  SELECT owner_id, value
  FROM (
    SELECT
      r.contact_id AS owner_id,
      r.feature AS value,
      row_number() OVER (PARTITION BY r.contact_id ORDER BY count(*) DESC, max(r.at) IS NULL, max(r.at) DESC, r.feature DESC) AS place
    FROM event AS r
    WHERE
      r.contact_id IS NOT NULL
      AND (r.at IS NULL OR r.at <= $now)
      AND r.feature IS NOT NULL
    GROUP BY r.contact_id, r.feature
  ) AS placed
  WHERE place = 1
), order_1 AS (
  SELECT r.contact_id AS owner_id, max(r.at) AS value
  FROM "order" AS r
  WHERE
    r.contact_id IS NOT NULL
    AND (r.at IS NULL OR r.at <= $now)
    AND (r.at >= $start_of_last_1_year AND r.at < $start_of_tomorrow)
  GROUP BY r.contact_id
), order_2 AS (
  SELECT r.contact_id AS owner_id, count(*) AS value
  FROM "order" AS r
  WHERE
    r.contact_id IS NOT NULL
    AND (r.at IS NULL OR r.at <= $now)
    AND (r.at >= $start_of_last_1_year AND r.at < $start_of_tomorrow)
  GROUP BY r.contact_id
), order_3 AS (
  SELECT r.contact_id AS owner_id, sum(r.total) AS value
  FROM "order" AS r
  WHERE
    r.contact_id IS NOT NULL
    AND (r.at IS NULL OR r.at <= $now)
    AND (r.at >= $start_of_last_1_year AND r.at < $start_of_tomorrow)
  GROUP BY r.contact_id
)
SELECT
  c.contact_id,
  CAST(CASE WHEN abs(score_1.value) < 1e22 THEN CAST(CAST(score_1.value AS VARCHAR) AS DECIMAL(28, 6)) END AS DECIMAL(38, 6)),
  CAST(event_1.value AS VARCHAR),
  CAST(CASE WHEN contains(c.title, $data) THEN 10 ELSE 0 END AS BIGINT),
  CAST($today - CAST((order_1.value AT TIME ZONE 'UTC') AT TIME ZONE $company_time_zone AS DATE) AS BIGINT),
  CAST(coalesce(order_2.value, 0) AS BIGINT),
  CAST(coalesce(order_3.value, 0) AS DECIMAL(38, 6)),
  CAST(coalesce(order_3.value, 0) AS DECIMAL(38, 6))
FROM contact AS c
LEFT JOIN trait_contact ON trait_contact.contact_id = c.contact_id
LEFT JOIN score_1 ON score_1.owner_id = c.contact_id
LEFT JOIN event_1 ON event_1.owner_id = c.contact_id
LEFT JOIN order_1 ON order_1.owner_id = c.contact_id
LEFT JOIN order_2 ON order_2.owner_id = c.contact_id
LEFT JOIN order_3 ON order_3.owner_id = c.contact_id;

DROP TABLE trait_contact;

ALTER TABLE trait_staging RENAME TO trait_contact;

CREATE TABLE trait_staging(contact_id BIGINT, churn DECIMAL(38, 6), favourite VARCHAR, fit BIGINT, "rfm.days" BIGINT, "rfm.count" BIGINT, "rfm.sum" DECIMAL(38, 6), spend DECIMAL(38, 6), place BIGINT, "rfm.recency" BIGINT, "rfm.frequency" BIGINT, "rfm.monetary" BIGINT, share DECIMAL(38, 6));

INSERT INTO trait_staging
WITH quantile_1 AS (
  SELECT
    c.contact_id AS owner_id,
    1 + ((rank() OVER (PARTITION BY a.industry ORDER BY trait_contact.spend) - 1) * 100) // count(*) OVER (PARTITION BY a.industry) AS value
  FROM contact AS c
  LEFT JOIN trait_contact ON trait_contact.contact_id = c.contact_id
  LEFT JOIN account AS a ON a.account_id = c.account_id
  WHERE trait_contact.spend IS NOT NULL AND a.industry IS NOT NULL
), quantile_2 AS (
  SELECT
    c.contact_id AS owner_id,
    1 + ((rank() OVER (ORDER BY trait_contact."rfm.days" DESC) - 1) * 5) // count(*) OVER () AS value
  FROM contact AS c
  LEFT JOIN trait_contact ON trait_contact.contact_id = c.contact_id
  WHERE trait_contact."rfm.days" IS NOT NULL
), quantile_3 AS (
  SELECT
    c.contact_id AS owner_id,
    1 + ((rank() OVER (ORDER BY trait_contact."rfm.count") - 1) * 5) // count(*) OVER () AS value
  FROM contact AS c
  LEFT JOIN trait_contact ON trait_contact.contact_id = c.contact_id
  WHERE trait_contact."rfm.count" IS NOT NULL AND trait_contact."rfm.days" IS NOT NULL
), quantile_4 AS (
  SELECT
    c.contact_id AS owner_id,
    1 + ((rank() OVER (ORDER BY trait_contact."rfm.sum") - 1) * 5) // count(*) OVER () AS value
  FROM contact AS c
  LEFT JOIN trait_contact ON trait_contact.contact_id = c.contact_id
  WHERE trait_contact."rfm.sum" IS NOT NULL AND trait_contact."rfm.days" IS NOT NULL
)
SELECT
  c.contact_id,
  trait_contact.churn,
  trait_contact.favourite,
  trait_contact.fit,
  trait_contact."rfm.days",
  trait_contact."rfm.count",
  trait_contact."rfm.sum",
  trait_contact.spend,
  CAST(quantile_1.value AS BIGINT),
  CAST(quantile_2.value AS BIGINT),
  CAST(quantile_3.value AS BIGINT),
  CAST(quantile_4.value AS BIGINT),
  CAST(CAST(CAST(CAST(trait_contact.spend AS DECIMAL(38, 6)) * 1000000 AS HUGEINT) * 1000000 // nullif(CAST(CAST(a.annual_revenue AS DECIMAL(38, 6)) * 1000000 AS HUGEINT), 0) AS DECIMAL(38, 0)) * CAST(0.000001 AS DECIMAL(6, 6)) AS DECIMAL(38, 6))
FROM contact AS c
LEFT JOIN trait_contact ON trait_contact.contact_id = c.contact_id
LEFT JOIN quantile_1 ON quantile_1.owner_id = c.contact_id
LEFT JOIN quantile_2 ON quantile_2.owner_id = c.contact_id
LEFT JOIN quantile_3 ON quantile_3.owner_id = c.contact_id
LEFT JOIN quantile_4 ON quantile_4.owner_id = c.contact_id
LEFT JOIN account AS a ON a.account_id = c.account_id;

DROP TABLE trait_contact;

ALTER TABLE trait_staging RENAME TO trait_contact;

CREATE TABLE trait_staging(contact_id BIGINT, churn DECIMAL(38, 6), favourite VARCHAR, fit BIGINT, "rfm.days" BIGINT, "rfm.count" BIGINT, "rfm.sum" DECIMAL(38, 6), spend DECIMAL(38, 6), place BIGINT, "rfm.recency" BIGINT, "rfm.frequency" BIGINT, "rfm.monetary" BIGINT, share DECIMAL(38, 6), "rfm.cell" VARCHAR);

-- about_to_sleep = 'about_to_sleep'
-- at_risk = 'at_risk'
-- cant_lose = 'cant_lose'
-- champions = 'champions'
-- hibernating = 'hibernating'
-- lost = 'lost'
-- loyal = 'loyal'
-- need_attention = 'need_attention'
-- new = 'new'
-- potential_loyalist = 'potential_loyalist'
-- promising = 'promising'
INSERT INTO trait_staging
SELECT
  c.contact_id,
  trait_contact.churn,
  trait_contact.favourite,
  trait_contact.fit,
  trait_contact."rfm.days",
  trait_contact."rfm.count",
  trait_contact."rfm.sum",
  trait_contact.spend,
  trait_contact.place,
  trait_contact."rfm.recency",
  trait_contact."rfm.frequency",
  trait_contact."rfm.monetary",
  trait_contact.share,
  CAST(CASE
    WHEN trait_contact."rfm.recency" BETWEEN 5 AND 5 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 4 AND 5 THEN $champions
    WHEN trait_contact."rfm.recency" BETWEEN 3 AND 4 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 4 AND 5 THEN $loyal
    WHEN trait_contact."rfm.recency" BETWEEN 4 AND 5 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 2 AND 3 THEN $potential_loyalist
    WHEN trait_contact."rfm.recency" BETWEEN 5 AND 5 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 1 AND 1 THEN $new
    WHEN trait_contact."rfm.recency" BETWEEN 4 AND 4 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 1 AND 1 THEN $promising
    WHEN trait_contact."rfm.recency" BETWEEN 3 AND 3 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 3 AND 3 THEN $need_attention
    WHEN trait_contact."rfm.recency" BETWEEN 3 AND 3 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 1 AND 2 THEN $about_to_sleep
    WHEN trait_contact."rfm.recency" BETWEEN 1 AND 2 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 3 AND 4 THEN $at_risk
    WHEN trait_contact."rfm.recency" BETWEEN 1 AND 2 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 5 AND 5 THEN $cant_lose
    WHEN trait_contact."rfm.recency" BETWEEN 2 AND 2 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 1 AND 2 THEN $hibernating
    WHEN trait_contact."rfm.recency" BETWEEN 1 AND 1 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 2 AND 2 THEN $hibernating
    WHEN trait_contact."rfm.recency" BETWEEN 1 AND 1 AND (trait_contact."rfm.frequency" + trait_contact."rfm.monetary" + 1) // 2 BETWEEN 1 AND 1 THEN $lost
  END AS VARCHAR)
FROM contact AS c
LEFT JOIN trait_contact ON trait_contact.contact_id = c.contact_id;

DROP TABLE trait_contact;

ALTER TABLE trait_staging RENAME TO trait_contact;
