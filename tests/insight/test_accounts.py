"""What explain says around a company."""

from __future__ import annotations

import duckdb
import pytest

from audiencehub.insight.accounts import SHOWN, surroundings
from audiencehub.warehouse.schema import statements


@pytest.fixture
def db():
    connection = duckdb.connect()
    for statement in statements():
        connection.execute(statement)
    names = ["Top", "Middle", "Leaf", "Other leaf", "Alone"]
    parents = [None, 0, 1, 1, None]
    connection.executemany(
        "INSERT INTO account(account_id, parent_account_id, name) VALUES(?, ?, ?)",
        [[n, parent, name] for n, (parent, name) in enumerate(zip(parents, names, strict=True))],
    )
    yield connection
    connection.close()


def test_a_company_shows_the_group_above_and_below(db):
    """If it fails, nobody sees that a lead belongs to a customer's group."""
    found = surroundings(db, 1)

    assert [one.name for one in found.parents] == ["Top"]
    assert [one.name for one in found.children] == ["Leaf", "Other leaf"]
    assert found.lines()[0] == "group: belongs to Top; owns Leaf; Other leaf"
    assert [one.name for one in surroundings(db, 2).parents] == ["Middle", "Top"]
    assert "stands alone" in surroundings(db, 4).lines()[0]


def test_people_stand_by_rank_with_their_roles(db):
    """If it fails, the caller does not know whom to ask for."""
    db.executemany(
        "INSERT INTO contact(contact_id, account_id, first_name, email, title, seniority,"
        " department) VALUES(?, 4, ?, ?, ?, ?, ?)",
        [
            [1, "Ann", "a@x.example", "Clerk", "entry", "finance"],
            [2, None, "b@x.example", None, None, None],
            [3, "Cid", "c@x.example", "CTO", "c_suite", "it"],
        ],
    )

    (line,) = [line for line in surroundings(db, 4).lines() if line.startswith("people")]

    assert line == "people: Cid (CTO, c suite, it); Ann (Clerk, entry, finance); b@x.example"


def test_what_it_uses_and_researches(db):
    """If it fails, a technology that was dropped counts as used, or last year's interest as new."""
    db.executemany(
        "INSERT INTO technology_install(account_id, technology, last_detected_at, is_live)"
        " VALUES(4, ?, ?, ?)",
        [["shopify", "2025-03-01", False], ["hubspot", "2026-11-01", True]],
    )
    db.executemany(
        "INSERT INTO intent_signal(account_id, source, topic, score, period_end)"
        " VALUES(4, 'bombora', ?, ?, ?)",
        [["crm", 90, "2025-01-07"], ["crm", 61.5, "2026-11-07"], ["erp", 70, "2026-11-07"]],
    )

    uses, researches = surroundings(db, 4).lines()[2:]

    assert uses == "uses: hubspot; shopify, no longer since 2025-03-01"
    assert researches == "researches: erp 70 until 2026-11-07; crm 61.5 until 2026-11-07"


def test_much_is_counted_and_nothing_is_said(db):
    """If it fails, a big company floods the screen, or an unknown one looks broken."""
    db.executemany(
        "INSERT INTO contact(contact_id, account_id, email) VALUES(?, 4, ?)",
        [[n, f"p{n:02d}@x.example"] for n in range(SHOWN + 3)],
    )

    lines = surroundings(db, 4).lines()

    assert lines[1].endswith("; and 3 more")
    assert len(surroundings(db, 4).json()["people"]) == SHOWN + 3
    assert lines[2:] == [
        "uses: no source brings technologies -> audiencehub connectors lists those that do",
        "researches: no source brings intent -> audiencehub connectors lists those that do",
    ]
    db.execute("INSERT INTO intent_signal(account_id, topic) VALUES(99, 'crm')")
    assert "give the company a domain" in surroundings(db, 4).lines()[3]
    db.execute("UPDATE account SET domain = 'lone.example' WHERE account_id = 4")
    db.execute("DELETE FROM contact WHERE account_id = 4")
    people, _, intent = surroundings(db, 4).lines()[1:]
    assert "addresses at lone.example" in people
    assert intent == "researches: nothing known of lone.example"
