"""Leaves over facts in time, and fields of one's own: what they mean, say and cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audiencehub.canonical import Field
from audiencehub.rules import compile_book, explain, facts, matches, schema
from audiencehub.rules.compile import change, kinds, sequence
from audiencehub.rules.compile.change import factors
from audiencehub.rules.compile.local import _program
from audiencehub.rules.language.catalog import CATALOG
from audiencehub.rules.language.form import FieldTest
from audiencehub.rules.language.profile import Profile, profile_from_example
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.folder import read_segment
from audiencehub.testing import oracle
from audiencehub.testing.world import World
from tests.rules.chance import Chance
from tests.rules.kit import CLOCK, WIDE, ZONE, book, by_sql, dump, members, segment
from tests.rules.moving import moving


def told(when: Any, given: Any, of: str = "contact") -> tuple[str, str, tuple[str, ...]]:
    """The clause in words, what was seen, and the nearest change."""
    rule = segment("one", when, of, examples=[{"given": given, "member": True}])
    profile = profile_from_example(rule.examples[0].given, CLOCK, ZONE)
    (found,) = explain(book(rule), profile, CLOCK, ["one"])
    return found.clauses[0].clause, found.clauses[0].seen, found.flip


def test_a_dropped_technology_is_not_told_as_one_in_use():
    """Sales would congratulate a company on what it has just left."""
    when = {"dropped": {"technology": "salesforce", "since": {"within": "90 days"}}}

    clause, seen, flip = told(when, {"dropped": [{"technology": "salesforce", "days_ago": 200}]})

    assert clause == "dropped salesforce last_detected_at within the last 90 days"
    assert (seen, flip) == ("0", (f"number of: {clause} at least 1, 1 more (now 0)",))


def test_a_trend_is_told_in_percent():
    """A share of a share is misread; people reckon changes in percent."""
    when = {"trend": {"of": "event", "name": "login", "window": "30 days",
                      "change": {"at_most": "-50%"}}}  # fmt: skip
    given = {
        "event": [{"name": "login", "times": 3}, {"name": "login", "days_ago": 40, "times": 4}]
    }

    clause, seen, flip = told(when, given)

    assert clause == "event login, change over 30 days: at most -50%"
    assert seen == "-25%, 3 rows in the last 30 days"
    assert flip == ("event login, change over 30 days, in percent, at most -50, 25 less (now -25)",)


def test_fading_intent_is_told_with_what_is_left():
    """The score that the vendor reported is not the strength that the rule tested."""
    when = {"intent": {"topic": "crm", "strength": {"at_least": 50}, "half_life": "14 days"}}

    clause, seen, flip = told(when, {"intent": [{"topic": "crm", "score": 80, "days_ago": 14}]})

    assert clause == "intent crm, strength with half-life 14 days: at least 50"
    assert seen == "40 over 1 row"
    assert flip == ("intent crm, strength with half-life 14 days at least 50, 10 more (now 40)",)


def test_a_sequence_is_told_with_the_row_that_decided():
    """Whoever calls about an abandoned cart must know which one."""
    when = {"sequence": {"first": {"event": {"name": "cart_updated", "within": "30 days"}},
                         "then_not": {"order": {}}, "within": "3 days"}}  # fmt: skip
    said = "event cart_updated within the last 30 days, then no order, within 3 days"

    clause, seen, flip = told(when, {"event": [{"name": "cart_updated", "days_ago": 9}]})
    none = told(when, {"event": [{"name": "cart_updated", "days_ago": 2}]})

    assert (clause, flip) == (said, (f"no longer: {said}",))
    assert seen == "1 row to begin with, 2026-03-22 12:00"
    assert none == (said, "1 row to begin with", (f"{said} (now 1 row to begin with)",))


def test_what_no_source_fills_is_unknown_not_none():
    """`count: 0` of tickets would select everyone of a company that has no help desk here."""
    rules = book(
        segment("quiet", {"ticket": {"count": 0}}),
        segment("unasked", {"ticket": {"count": {"is": 0, "or_unknown": True}}}),
        segment("loud", {"not": {"ticket": {"count": 0}}}),
        segment("still", {"trend": {"of": "ticket", "window": "7 days", "change": 0}}),
        segment("dead", {"sequence": {"first": {"event": "a"}, "then_not": {"ticket": {}}}}),
        segment("cold", {"intent": {"strength": {"known": False}, "half_life": "1 day"}}),
    )
    event = {"contact_id": 1, "name": "a", "at": CLOCK - timedelta(days=1)}
    world = World({1: {}}, {}, {"event": [event]})
    blank = World({1: {}}, {}, {"event": [event]}, frozenset({"ticket", "intent_signal"}))
    everyone = {1}

    assert by_sql(rules, world, CLOCK) == oracle.members(rules, world, CLOCK)
    assert by_sql(rules, world, CLOCK)["quiet"] == everyone
    assert by_sql(rules, world, CLOCK)["dead"] == everyone
    found = by_sql(rules, blank, CLOCK)
    assert found == oracle.members(rules, blank, CLOCK)
    assert found == {
        "quiet": set(), "unasked": everyone, "loud": everyone, "still": set(), "dead": set(),
        "cold": everyone,
    }  # fmt: skip


def test_factors_of_a_decay_halve_and_end():
    """A table that ends too soon would let old intent count in full."""
    for half_life in (1, 3, 14, 366):
        table = factors(half_life)

        assert (table[0], table[-1]) == (1, 0)
        assert str(table[half_life]) == "0.500000"
        assert list(table) == sorted(table, reverse=True)


def test_a_person_with_ten_thousand_events_costs_no_join_of_them():
    """A self-join would make a hundred million pairs of one crawler's page views."""
    then = [{"event": "click"}, {"event": "view"}, {"event": "click"}]
    rules = book(segment("busy", {"sequence": {"first": {"event": "view"}, "then": then}}))

    with World({1: {}}).connect(WIDE) as connection:
        connection.execute(
            "INSERT INTO event(contact_id, name, \"at\") SELECT 1, CASE WHEN n % 2 = 0 THEN 'view' "
            "ELSE 'click' END, $clock - to_minutes(CAST(n AS INTEGER)) FROM range(10000) r(n)",
            {"clock": CLOCK.replace(tzinfo=None)},
        )
        compile_book(rules, CLOCK, rules.bits(), WIDE).run(connection)

        assert members(connection, rules, rules.bits()) == {"busy": {1}}


def test_a_custom_field_goes_by_one_name(tmp_path):
    """The column's name in a rule would be a second noun for the same thing."""
    rule = segment("vip", {"custom.vip": True})
    profile = Profile({"custom_vip": True}, None)
    (found,) = explain(book(rule), profile, CLOCK, ["vip"])

    assert isinstance(rule.when, FieldTest) and rule.when.field == "custom_vip"
    assert found.clauses[0].clause == "contact.custom.vip is true"
    assert "contact.custom.vip" in schema.text(WIDE)
    assert "custom_vip" not in schema.text(WIDE)


def test_the_value_of_a_private_custom_field_is_never_a_reason():
    """Reasons travel to CRMs; a company's own field counts as personal unless it says otherwise."""
    own = [
        Field("custom_open", "text", privacy="none"),
        Field("custom_shut", "text", privacy="personal"),
    ]
    catalog = CATALOG.adding("account", own)
    values = {"segment": "one", "label": "x", "model": "intent", "of": "account",
              "when": {"all": [{"custom.open": ["a"]}, {"custom.shut": ["c", "d"]}]}}  # fmt: skip
    rule = read_segment(Desk("one.yaml", "USD", catalog), dump(values))
    profile = Profile(None, {"custom_open": "a", "custom_shut": "c"})

    assert rule is not None and matches(rule, profile, CLOCK, ZONE)
    assert facts(rule, profile, CLOCK, ZONE, catalog=catalog) == (
        "account.custom.open a",
        "account.custom.shut is one of c, d",
    )


CHANGE, FACTORS = change._change, change.factors


def _backwards(leaf: Any, last: str, before: str, bind: Any) -> str:
    return CHANGE(leaf, before, last, bind)


def _at_once(half_life: int) -> tuple[Any, ...]:
    return (FACTORS(half_life)[0], FACTORS(half_life)[-1])


MISTAKES = {
    "a trend looks the wrong way round": (change, "_change", _backwards),
    "intent is gone on the second day": (change, "factors", _at_once),
    "a row follows itself": (sequence, "_BEFORE", "GROUPS UNBOUNDED PRECEDING"),
    "what could still follow counts as missing": (sequence, "_over", lambda span, bind: "true"),
    "what no source fills counts as none": (kinds, "reads", lambda leaf: frozenset()),
}


def moved(seed: int) -> Any:
    """Segment to (compiled, oracle) where they disagree on a book of leaves over time."""
    chance = Chance(seed)
    of = ("contact", "account")
    rules = [segment(f"s{n:03d}", moving(chance), of[n % 2]) for n in range(30)]
    found, world = book(*rules, zone=chance.zone), chance.world()
    compiled, plain = by_sql(found, world, chance.clock), oracle.members(found, world, chance.clock)
    return {n: (compiled[n], plain[n]) for n in compiled if compiled[n] != plain[n]}


@pytest.mark.parametrize("seed", range(4))
def test_leaves_over_time_agree_with_the_oracle(seed):
    """Sequences, trends and fading intent are too rare in mixed books to be trusted from them."""
    assert moved(seed) == {}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_seeded_mistake_in_leaves_over_time_is_caught(name, monkeypatch):
    """A comparison that cannot fail proves nothing: with each of these mistakes it must."""
    module, attribute, wrong = MISTAKES[name]
    monkeypatch.setattr(module, attribute, wrong)
    _program.cache_clear()

    caught = any(moved(seed) for seed in range(20))

    _program.cache_clear()
    assert caught
