"""The compiled book: words, stages, one pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from audiencehub.rules import compile_book
from audiencehub.rules.compile import local
from audiencehub.rules.compile.bind import Day, Midnight, resolve
from audiencehub.testing import oracle
from audiencehub.testing.world import World
from tests.rules.kit import CLOCK, WIDE, ZONE, book, by_sql, members, segment

PEOPLE = World(
    contacts={n: {"title": f"t{n}", "account_id": n % 3} for n in range(200)},
    accounts={n: {"employee_count": n} for n in range(3)},
)


def test_more_than_sixty_four_leaves_and_segments():
    """The sixty-fifth rule, or leaf, must not land on the first one's bit."""
    rules = book(
        *(
            segment(f"s{n:03d}", {"any": [{"title": f"t{n}"}, {"title": f"t{n + 70}"}]})
            for n in range(130)
        )
    )
    bits = {name: 200 - n for n, name in enumerate(rules.segments)}

    with PEOPLE.connect(WIDE) as connection:
        compile_book(rules, CLOCK, bits).run(connection)
        found = members(connection, rules, bits)
        columns = connection.sql("SELECT * FROM match_contact").columns

    assert columns == ["contact_id", "w0", "w1", "w2", "w3"]
    assert found == oracle.members(rules, PEOPLE, CLOCK)
    assert found["s069"] == {69, 139}


def test_stage_reads_members_not_matches():
    """Someone whom `stay` keeps in a segment is still excluded from what excludes it."""
    rules = book(
        segment("customers", {"title": "t1"}, stay={"at_least": "7 days"}),
        segment("big", {"employee_count": {"at_least": 2}}, "account"),
        segment("prospects", {"not": {"segment": "customers"}}),
        segment("wanted", {"all": [{"segment": "prospects"}, {"segment": "big"}]}),
    )
    bits = rules.bits()
    seen = []

    def settle(connection, stage):
        seen.append(stage.segments)
        for entity in ("contact", "account"):
            connection.execute(
                f"CREATE OR REPLACE TABLE member_{entity} AS SELECT * FROM match_{entity}"
            )
        if "customers" in stage.segments:  # person 5 is no match any more, but stays
            connection.execute(
                f"UPDATE member_contact SET w0 = w0 | {1 << bits['customers']} WHERE contact_id = 5"
            )

    with PEOPLE.connect(WIDE) as connection:
        compile_book(rules, CLOCK, bits).run(connection, settle)
        found = members(connection, rules, bits)
    plain = oracle.members(
        rules, PEOPLE, CLOCK, lambda name, ids: ids | {5} if name == "customers" else ids
    )

    assert seen == [("big", "customers"), ("prospects", "wanted")]
    assert found["customers"] == {1}
    assert 5 not in found["prospects"]
    assert found["wanted"] == plain["wanted"] == {n for n in range(200) if n % 3 == 2} - {5}


def test_far_ids_take_the_other_way(monkeypatch):
    """Ids that are far apart must not fill the memory, and must give the same verdicts."""
    rules = book(segment("a", {"title": "t1"}), segment("b", {"event": {"name": "login"}}))
    near = by_sql(rules, PEOPLE, CLOCK)
    refused = []

    def refuse(*_):
        refused.append(True)
        return False

    monkeypatch.setattr(local, "write_leaves", refuse)

    assert by_sql(rules, PEOPLE, CLOCK) == near
    assert refused
    world = World(contacts={2_000_000_000: {"title": "t1"}})
    monkeypatch.undo()
    assert by_sql(rules, world, CLOCK)["a"] == {2_000_000_000}


def test_no_query_per_rule():
    """Statements grow with the depth of references, never with the number of rules."""
    few = book(segment("a", {"title": "x"}))
    many = book(*(segment(f"s{n}", {"title": f"t{n}"}) for n in range(50)))

    counts = [
        len(one.program.leaves) + sum(len(stage.projections) for stage in one.stages)
        for one in (compile_book(few, CLOCK), compile_book(many, CLOCK))
    ]

    assert counts == [4, 4]


def test_equal_leaves_are_evaluated_once():
    """A condition shared by thirty rules costs what it costs in one."""
    leaf = {"event": {"name": "login", "within": "30 days"}}
    rules = book(*(segment(f"s{n}", {"all": [leaf, {"title": f"t{n % 3}"}]}) for n in range(30)))

    assert compile_book(rules, CLOCK).program.leaf_count == 4


def test_sql_is_kept_by_meaning_and_the_clock_bound_anew():
    """The text of the SQL depends on rules and bits alone: planning it again costs time."""
    rules = book(segment("a", {"created_at": {"within": "1 day"}}))
    same = book(segment("a", {"created_at": {"within": "1 day"}}))
    world = World(contacts={1: {"created_at": CLOCK}})

    one, two = compile_book(rules, CLOCK), compile_book(same, CLOCK + timedelta(days=1))

    assert one.program is two.program
    assert by_sql(rules, world, CLOCK)["a"] == {1}
    assert by_sql(rules, world, CLOCK + timedelta(days=1))["a"] == set()


def test_values_never_reach_the_text_of_sql():
    """A rule's literal is data: quotes and semicolons in it must not become SQL."""
    nasty = "x'; DROP TABLE contact; --"
    rules = book(segment("a", {"title": nasty}), segment("b", {"event": {"name": nasty}}))
    compiled = compile_book(rules, CLOCK)
    world = World(contacts={1: {"title": nasty}, 2: {"title": "x"}})

    text = " ".join(one.sql for _, one in compiled.program.leaves)

    assert "DROP" not in text
    assert by_sql(rules, world, CLOCK) == {"a": {1}, "b": set()}


def test_an_empty_book_runs():
    """A new company has no rules yet, and its first sync must not fail."""
    with PEOPLE.connect(WIDE) as connection:
        compile_book(book(), CLOCK).run(connection)

        found = connection.sql("SELECT count(*), sum(w0) FROM match_contact").fetchall()

    assert found == [(200, 0)]


def test_a_clock_without_a_zone_is_refused():
    """A naive clock would mean another day on another machine."""
    with pytest.raises(ValueError, match="time zone"):
        compile_book(book(), datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Beirut", "Pacific/Apia", "UTC"])
def test_days_of_a_zone_meet_without_gap_or_overlap(zone):
    """Around a change of the clocks every instant belongs to exactly the local day it shows."""
    place = ZoneInfo(zone)
    for hour in range(0, 24 * 400, 7):
        moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        start = resolve(Midnight(Day()), moment, place).replace(tzinfo=UTC)
        end = resolve(Midnight(Day(plus=1)), moment, place).replace(tzinfo=UTC)

        assert start <= moment < end, (moment, start, end)


def test_the_company_day_decides():
    """At eleven at night in New York it is still today, whatever the date in London."""
    rules = book(segment("a", {"created_at": {"within": "1 day"}}))
    clock = datetime(2026, 3, 31, 3, tzinfo=UTC)
    world = World(
        contacts={
            1: {"created_at": datetime(2026, 3, 30, 4, tzinfo=UTC)},
            2: {"created_at": datetime(2026, 3, 30, 3, 59, tzinfo=UTC)},
        }
    )

    assert rules.zone == ZONE
    assert by_sql(rules, world, clock)["a"] == {1}
