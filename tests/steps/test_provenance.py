"""Where a value comes from, which of several stands, and what stood before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from audiencehub.insight.people import provenance
from audiencehub.settings import Settings, SourceEntry
from audiencehub.warehouse.history import as_of


def whole(*records, **page):
    return [{"records": list(records), "last": True, "full": True, **page}]


def changed(desk, **values):
    """The desk with other settings; entries of sources keep what is not said."""
    sources = {
        name: SourceEntry(**{**one.model_dump(), **values.get(name, {})})
        for name, one in desk.settings.sources.items()
    }
    rest = {key: one for key, one in values.items() if key not in sources}
    desk.settings = Settings(**{**desk.settings.model_dump(), "sources": sources, **rest})
    return desk


def both(desk, contact, **shop):
    old = {**contact("9", email="a@x.example", title="Buyer", city="Oslo"), **shop}
    desk.run(
        crm={"contact": whole(contact("1", email="a@x.example", title="CTO"))},
        shop={"contact": whole(old)},
    )


def test_every_value_says_where_it_comes_from(desk, contact):
    """If it fails, nobody can say which vendor's data a segment rests on, or until when."""
    changed(desk, shop={"confidence": 0.6, "expires_days": 90, "licence": "CRM only"})
    both(desk, contact)

    found = desk.rows(
        "SELECT value, source, source_id, confidence, CAST(expires_at AS DATE)::VARCHAR, licence, "
        "chosen "
        "FROM attribute_value WHERE entity = 'contact' AND id = 0 AND field = 'title' "
        "ORDER BY source"
    )

    assert found == [
        ("CTO", "crm", "1", 1.0, None, None, True),
        ("Buyer", "shop", "9", 0.6, "2027-01-30", "CRM only", False),
    ]
    seen = provenance(desk.warehouse.connection, "contact", 0)
    assert seen["contact.title"].source == "crm"
    assert seen["contact.city"].source == "shop"
    assert seen["contact.city"].observed_at == datetime(2026, 11, 1, tzinfo=UTC)


def test_what_stands_is_what_the_view_calls_chosen(desk, contact):
    """If it fails, explain names one source while the rules read the value of another."""
    changed(desk, shop={"expires_days": 3}, survivorship={"contact.title": ["shop"]})
    both(desk, contact, at="2026-11-15T00:00:00+00:00")
    fields = ("email", "email_domain", "title", "city")

    for field in fields:
        stands = desk.rows(f"SELECT {field} FROM contact")
        said = desk.rows(
            f"SELECT value FROM attribute_value WHERE field = '{field}' AND chosen "
            "AND entity = 'contact'"
        )
        assert said == stands, field


def test_a_field_may_have_an_order_of_its_own(desk, contact):
    """If it fails, the best source of one field must be trusted with all, or with none."""
    changed(desk, survivorship={"contact.title": ["shop", "crm"]})
    both(desk, contact)

    assert desk.rows("SELECT title FROM contact") == [("Buyer",)]


@pytest.mark.parametrize("said", [{"contact.hat": ["crm"]}, {"contact.title": ["erp"]}])
def test_an_order_of_nothing_is_refused(desk, said):
    """If it fails, a misspelt field or source silently changes nothing."""
    with pytest.raises(ValidationError, match=r"hat|erp"):
        changed(desk, survivorship=said)


def test_an_expired_value_never_stands(desk, contact):
    """If it fails, bought data counts on after its licence or its truth has run out."""
    changed(desk, crm={"expires_days": 5})
    both(desk, contact)

    assert desk.rows("SELECT title, city FROM contact") == [("Buyer", "Oslo")]
    changed(desk, shop={"expires_days": 5})
    desk.run()
    assert desk.rows("SELECT title, email FROM contact") == [(None, None)]


def test_the_history_says_what_stood_when(desk, contact):
    """If it fails, a backtest reads today's values into the past."""
    desk.run(crm={"contact": whole(contact("1", email="a@x.example", title="Dev", city="Rome"))})
    first = desk.warehouse.known_at
    desk.run(crm={"contact": whole(contact("1", email="a@x.example", title="CTO", city="Rome"))})
    second = desk.warehouse.known_at
    desk.run(crm={"contact": whole(contact("2", email="b@x.example"))})
    third = desk.warehouse.known_at

    titles = desk.rows(
        "SELECT value, valid_from, valid_to FROM attribute_history "
        "WHERE entity = 'contact' AND id = 0 AND field = 'title' ORDER BY valid_from"
    )
    cities = desk.rows(
        "SELECT value, valid_from, valid_to FROM attribute_history WHERE field = 'city'"
    )

    naive = [at.replace(tzinfo=None) for at in (first, second, third)]
    assert titles == [("Dev", naive[0], naive[1]), ("CTO", naive[1], naive[2])]
    assert cities == [("Rome", naive[0], naive[2])], "an unchanged value is one stretch"
    for at, expected in (
        (first - timedelta(seconds=1), []),
        (first, [("Dev",)]),
        (second - timedelta(microseconds=1), [("Dev",)]),
        (second, [("CTO",)]),
        (third, [(None,)]),
    ):
        as_of(desk.warehouse.connection, desk.warehouse.tables, at)
        assert desk.rows("SELECT title FROM contact_as_of") == expected, at


def test_as_of_has_the_columns_and_spans_of_the_day(desk, contact):
    """If it fails, rules cannot be evaluated on a past day, or see activity of the days after."""
    event = {"values": {"contact_ref": "1", "name": "login"}}
    days = ["2026-11-10T08:00:00Z", "2026-11-16T10:30:00Z"]
    events = [
        {**event, "id": str(n), "values": {**event["values"], "at": day}}
        for n, day in enumerate(days)
    ]
    desk.run(crm={"contact": whole(contact("1", email="a@x.example")), "event": whole(*events)})

    as_of(desk.warehouse.connection, desk.warehouse.tables, datetime(2026, 11, 16, 10, tzinfo=UTC))

    for entity in ("contact", "account"):
        columns = [
            [column[0] for column in desk.warehouse.connection.execute(sql).description]
            for sql in (f"SELECT * FROM {entity}", f"SELECT * FROM {entity}_as_of")
        ]
        assert columns[0] == columns[1]
    then = desk.rows("SELECT first_event_at::VARCHAR, last_event_at::VARCHAR FROM contact_as_of")
    assert then == [("2026-11-10 08:00:00", "2026-11-10 08:00:00")]


def test_the_same_state_resolved_twice_is_one_version(desk, contact):
    """If it fails, every rerun within a run leaves a version of nobody's life."""
    desk.run(crm={"contact": whole(contact("1", email="a@x.example"))})
    before = desk.rows("SELECT * FROM contact_history")
    desk.run()
    desk.run()

    assert desk.rows("SELECT * FROM contact_history") == before
    assert len(before) == 1


def test_uncleaned_values_go_when_the_record_comes_clean(desk, contact):
    """If it fails, people are sent to mend values that were mended long ago."""
    desk.run(crm={"contact": whole(contact("1", email="no address"))})
    assert desk.rows('SELECT "table", source_id, field, raw FROM uncleaned') == [
        ("contact", "1", "email", "no address")
    ]
    desk.run(crm={"contact": whole(contact("1", email="no address either"))})
    assert desk.rows("SELECT raw FROM uncleaned") == [("no address either",)]

    desk.run(crm={"contact": whole(contact("1", email="a@x.example"))})

    assert desk.rows("SELECT * FROM uncleaned") == []


def test_a_source_that_the_settings_drop_is_forgotten(desk, contact):
    """If it fails, a rebuilt warehouse and the old one differ once a source was removed."""
    both(desk, contact)
    settings = desk.settings
    desk.settings = settings.model_copy(update={"sources": {"crm": settings.sources["crm"]}})
    desk.run()

    assert desk.rows("SELECT title, city FROM contact") == [("CTO", None)]
    assert desk.rows("SELECT source FROM record_map") == [("crm",)]


def test_a_parent_is_found_and_a_circle_is_none(desk):
    """If it fails, a group's companies stand alone, or a circle in a CRM stops the run."""
    parents = {"a": None, "b": "a", "c": "b", "x": "y", "y": "x", "me": "me", "of_circle": "x"}
    records = [
        {"id": key, "values": {"name": key, "domain": f"{key}.example".replace("_", "-"),
                               "parent_ref": up}}
        for key, up in parents.items()
    ]  # fmt: skip
    desk.run(crm={"account": whole(*records)})

    found = desk.rows(
        "SELECT a.name, p.name FROM account a LEFT JOIN account p "
        "ON p.account_id = a.parent_account_id ORDER BY 1"
    )

    assert dict(found) == {**parents, "x": None, "y": None, "me": None}
