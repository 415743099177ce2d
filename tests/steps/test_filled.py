"""Which tables of facts anything fills, and what is remembered of it."""

from __future__ import annotations

import duckdb

from audiencehub.insight.people import load_profiles
from audiencehub.warehouse import recall, remember, unfilled
from audiencehub.warehouse.schema import statements


def empty() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for statement in statements():
        connection.execute(statement)
    return connection


def test_a_table_is_filled_by_a_row_or_by_a_stream_of_its_name():
    """A help desk without a ticket yet has none; a company without a help desk is not asked."""
    with empty() as connection:
        connection.execute("INSERT INTO source_deal(source, deleted) VALUES ('crm', true)")

        blank = unfilled(connection, {"ticket", "activity"})

        assert {"event", "subscription", "survey_answer"} <= blank
        assert not blank & {"ticket", "deal", "contact", "account"}


def test_a_profile_knows_what_no_source_fills():
    """An explanation from the published copy would contradict the run that decided."""
    with empty() as connection:
        assert recall(connection) == frozenset()
        remember(connection, {"ticket"})
        remember(connection, {"ticket", "order"})
        connection.execute("INSERT INTO contact(contact_id, account_id) VALUES (1, 7)")
        connection.execute("INSERT INTO account(account_id) VALUES (7)")
        connection.execute(
            "INSERT INTO subscription(contact_id, account_id, plan) VALUES (1, 7, 'both'), "
            "(1, NULL, 'hers'), (NULL, 7, 'theirs'), (2, 8, 'others')"
        )

        (person,) = load_profiles(
            connection, "contact", {1}, {"contact": {}, "account": {}}
        ).values()
        (firm,) = load_profiles(connection, "account", {7}, {"contact": {}, "account": {}}).values()

        assert person.unfilled == firm.unfilled == frozenset({"ticket", "order"})
        for one in (person, firm):
            plans = sorted(row["plan"] for row in one.rows["subscription"])
            assert plans == ["both", "hers", "theirs"]
