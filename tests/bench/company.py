"""A synthetic company in a warehouse file, by SQL from one seed."""

from __future__ import annotations

from pathlib import Path

import duckdb

from audiencehub.warehouse.schema import statements

EVENTS = 20
"""Per contact, on average; a few have very many."""
TODAY = "DATE '2026-11-16'"
NAMES = "['page_view','login','feature_used','email_open','email_click','cart_updated',\
'video_view','demo_requested','form_submitted','search','download','meeting']"


def build(path: Path, contacts: int) -> None:
    """The warehouse file of a company of that many contacts; left alone where it is there."""
    if path.exists():
        return
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with duckdb.connect(str(draft)) as connection:
        for statement in statements():
            connection.execute(statement)
        connection.execute("SET threads = 1")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SELECT setseed(0.42)")
        for sql in _rows(contacts, contacts // 10):
            connection.execute(sql)
        connection.execute("CHECKPOINT")
    draft.rename(path)


def _rows(contacts: int, accounts: int) -> list[str]:
    return [
        f"""INSERT INTO account(account_id, name, industry, employee_count, annual_revenue, type,
            country, created_at)
        SELECT i, 'Company ' || i, ['software','fintech','banking','retail','healthcare','media',
                'energy','logistics'][1 + (i % 8)],
            (pow(random(), 3) * 9000)::BIGINT, (pow(random(), 4) * 90000000)::DECIMAL(18,2),
            CASE WHEN i % 4 = 0 THEN 'customer' ELSE 'prospect' END,
            ['US','DE','FR','GB'][1 + (i % 4)],
            TIMESTAMP '2022-01-01' + INTERVAL (random() * 1700) DAY
        FROM range({accounts}) t(i)""",
        f"""INSERT INTO contact(contact_id, account_id, email, title, seniority, department,
            lifecycle_stage, country, birth_date, latitude, longitude, timezone, created_at)
        SELECT i, CASE WHEN i % 20 <> 0 THEN (random() * {accounts - 1})::INTEGER END,
            'person' || i || '@mail.example',
            ['VP Sales','Engineer','CFO','Marketing Manager','Head of Data','Intern'][1 + (i % 6)],
            ['vp','staff','c_suite','manager','director',NULL][1 + (i % 6)],
            ['sales','engineering','finance','marketing','data','other'][1 + (i % 6)],
            ['lead','mql','sql','customer','subscriber'][1 + (i % 5)],
            ['US','DE','FR','GB','NL','CA'][1 + (i % 6)],
            CASE WHEN i % 3 = 0 THEN DATE '1960-01-01' + (random() * 16000)::INTEGER END,
            CASE WHEN i % 4 <> 0 THEN round(random() * 60, 5) END,
            CASE WHEN i % 4 <> 0 THEN round(random() * 120 - 60, 5) END,
            ['America/New_York','Europe/Berlin','Asia/Tokyo',NULL][1 + (i % 4)],
            TIMESTAMP '2023-11-16' + INTERVAL (random() * 94600000) SECOND
        FROM range({contacts}) t(i)""",
        f"""INSERT INTO event(contact_id, source, source_id, name, "at", path, channel, value)
        SELECT least(floor(pow(random(), 1.6) * {contacts}), {contacts - 1})::INTEGER,
            'web', i::VARCHAR, {NAMES}[1 + floor(pow(random(), 1.5) * 12)::INTEGER],
            TIMESTAMP '2024-11-16 09:00:00'
                + INTERVAL ((i * 63072000.0 / {contacts * EVENTS})::BIGINT) SECOND,
            ['/pricing','/docs','/blog','/careers'][1 + (i % 4)],
            ['web','product','email','sales'][1 + (i % 4)], floor(random() * 40)
        FROM range({contacts * EVENTS}) t(i)""",
        f"""INSERT INTO "order"(contact_id, source, source_id, "at", total, quantity, status)
        SELECT floor(pow(random(), 2) * {contacts - 1})::INTEGER, 'shop', i::VARCHAR,
            TIMESTAMP '2024-11-16' + INTERVAL ((i * 63000000.0 / {contacts})::BIGINT) SECOND,
            round(random() * 400 + 5, 2), 1 + (i % 4), ['paid','refunded'][1 + (i % 9 = 0)::INTEGER]
        FROM range({contacts}) t(i)""",
        f"""INSERT INTO deal(account_id, source, source_id, amount, stage, is_closed, is_won,
            close_date, created_at)
        SELECT (random() * {accounts - 1})::INTEGER, 'crm', i::VARCHAR,
            round(random() * 90000, 2), ['open','proposal','won','lost'][1 + (i % 4)],
            i % 4 >= 2, i % 4 = 2, {TODAY} - (random() * 700)::INTEGER + 60,
            TIMESTAMP '2024-06-01' + INTERVAL (random() * 70000000) SECOND
        FROM range({accounts}) t(i)""",
        f"""INSERT INTO technology_install(account_id, source, source_id, technology, category,
            first_detected_at, last_detected_at, is_live)
        SELECT i % {accounts}, 'tech', i::VARCHAR,
            ['salesforce','hubspot','snowflake','shopify','marketo','segment',
             'zendesk'][1 + floor(random() * 7)::INTEGER],
            ['crm','crm','database','commerce','marketing','data','support'][1 + (i % 7)],
            TIMESTAMP '2024-11-16' + INTERVAL (random() * 60000000) SECOND,
            TIMESTAMP '2026-01-01' + INTERVAL (random() * 27000000) SECOND, random() < 0.9
        FROM range({accounts * 5}) t(i)""",
        f"""INSERT INTO intent_signal(account_id, source, source_id, topic, category, score,
            period_start, period_end)
        SELECT i % {accounts}, 'intent', i::VARCHAR,
            ['payment processing','crm software','data warehouse','analytics','cloud security',
             'marketing automation'][1 + floor(random() * 6)::INTEGER], 'software',
            floor(random() * 100), d, d + 6
        FROM (SELECT i, {TODAY} - (random() * 120)::INTEGER AS d
              FROM range({accounts * 4}) t(i))""",
        f"""INSERT INTO ticket(contact_id, source, source_id, category, status, priority,
            created_at, csat)
        SELECT floor(random() * {contacts - 1})::INTEGER, 'help', i::VARCHAR,
            ['billing','bug','how_to'][1 + (i % 3)], ['open','solved'][1 + (i % 2)],
            ['low','normal','high','urgent'][1 + (i % 4)],
            TIMESTAMP '2025-11-16' + INTERVAL (random() * 31000000) SECOND, 1 + floor(random() * 5)
        FROM range({contacts // 5}) t(i)""",
        f"""INSERT INTO subscription(account_id, source, source_id, plan, status, mrr, started_at,
            renews_at)
        SELECT i, 'billing', i::VARCHAR, ['team','business'][1 + (i % 2)],
            ['active','trialing','past_due'][1 + (i % 3)], round(random() * 3000, 2),
            TIMESTAMP '2025-01-01' + INTERVAL (random() * 50000000) SECOND,
            TIMESTAMP '2026-10-01' + INTERVAL (random() * 20000000) SECOND
        FROM range(0, {accounts}, 2) t(i)""",
        f"""INSERT INTO survey_answer(contact_id, source, source_id, survey, question, score, "at")
        SELECT floor(random() * {contacts - 1})::INTEGER, 'forms', i::VARCHAR, 'nps', 'nps',
            floor(random() * 11), TIMESTAMP '2025-11-16' + INTERVAL (random() * 31000000) SECOND
        FROM range({contacts // 10}) t(i)""",
        """UPDATE contact SET first_event_at = e.a, last_event_at = e.b FROM (
            SELECT contact_id, min("at") AS a, max("at") AS b FROM event GROUP BY 1) e
            WHERE e.contact_id = contact.contact_id""",
    ]
