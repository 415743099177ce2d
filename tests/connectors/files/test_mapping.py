"""Records in canonical words: declared mappings and every preset."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from pydantic import ValidationError

from audiencehub.canonical import TABLES
from audiencehub.errors import Stop
from connectors.files import SPEC
from connectors.files.convert import host, noon_utc, period, period_in_name
from connectors.files.options import LINKS, FilesOptions
from connectors.files.presets import PRESETS

from .conftest import EVENT


def test_a_declared_mapping_says_columns_constants_and_key(drops):
    """The long tail has no preset."""
    drops.put("w.csv", "Id;Mail;When\n7;a@x.example;2026-01-02T03:04:05Z\n8;;\n")

    rows, aside = drops.rows(
        path="w.csv",
        table="event",
        delimiter=";",
        key=["Id"],
        observed="at",
        required=["at"],
        columns={"contact_email": "Mail", "at": "When"},
        constants={"name": "webinar"},
    )

    assert [(row.table, row.source_id) for row in rows] == [("event", "7")]
    assert rows[0].values == {
        "contact_email": "a@x.example",
        "at": "2026-01-02T03:04:05Z",
        "name": "webinar",
    }
    assert rows[0].observed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert aside == [(3, "no_at")]


def test_every_line_is_a_row_or_set_aside(drops):
    """Never lost: 2 good, 5 bad, 1 blank."""
    drops.put(
        "a.csv",
        b"name,at,who\nlogin,x,a\n\nshort\nlong,1,2,3\nbad\xff,1,2\nnul\x00,1,2\n"
        b'"q"x,1,2\nlogin,y,b\n',
    )

    rows, aside = drops.rows(path="a.csv", **EVENT)

    assert [row.source_id for row in rows] == ["a.csv:2", "a.csv:9"]
    assert aside == [(4, "columns"), (5, "columns"), (6, "encoding"), (7, "nul_byte"), (8, "quote")]


def test_equal_rows_are_kept_apart_by_their_lines(drops):
    """Two purchases of the same thing on the same day are two."""
    drops.put("a.csv", "name,at,who\nlogin,x,a\nlogin,x,a\n")

    rows, _ = drops.rows(path="a.csv", **EVENT)

    assert len({row.source_id for row in rows}) == 2


def test_keys_of_several_columns_never_collide(drops):
    """`a|b` with `c` and `a` with `b|c` are two records."""
    drops.put("a.csv", 'name,at,who,k,l\nx,y,z,a|b,c\nx,y,z,a,b|c\nx,y,z,"a""",c\n')

    rows, _ = drops.rows(path="a.csv", key=["k", "l"], **EVENT)

    assert len({row.source_id for row in rows}) == 3


def test_an_empty_key_is_set_aside(drops):
    """All records without one would be the same."""
    drops.put("a.csv", "name,at,who,k\nx,y,z,\n")

    assert drops.rows(path="a.csv", key=["k"], **EVENT) == ([], [(2, "no_key")])


def test_events_and_orders_of_the_shop(drops):
    """The demo company's own drops."""
    drops.put(
        "events-1.jsonl",
        '{"key": "e1", "email": "a@x.example", "name": "login", '
        '"at": "2026-01-01T00:00:00+00:00", "path": null, "value": 2.5}\n{"key": "e2"}\n',
    )
    drops.put(
        "orders-1.csv",
        "key,email,at,total,currency,quantity,status\n"
        "o1,a@x.example,2026-01-01T00:00:00+00:00,12.50,EUR,2,paid\n",
    )

    events, aside = drops.rows(preset="events_jsonl", path="events-*.jsonl")
    orders, _ = drops.rows(preset="orders_csv", path="orders-*.csv")

    assert [(row.table, row.source_id, row.values["value"]) for row in events] == [
        ("event", "e1", 2.5)
    ]
    assert events[0].values["contact_email"] == "a@x.example"
    assert aside == [(2, "no_name")]
    assert orders[0].source_id == "o1"
    assert orders[0].values == {
        "contact_email": "a@x.example",
        "at": "2026-01-01T00:00:00+00:00",
        "total": "12.50",
        "currency": "EUR",
        "quantity": "2",
        "status": "paid",
    }


def test_an_order_file_may_say_more(drops):
    """Shops that know discount and margin have them; for the others the file is not refused."""
    drops.put(
        "orders-1.csv",
        "key,email,at,total,currency,quantity,status,revenue,discount,refunded,margin,channel,"
        "coupon\no1,a@x.example,2026-01-01T00:00:00+00:00,12.50,EUR,2,paid,10.50,1.00,0,7,app,\n",
    )

    (order,), _ = drops.rows(preset="orders_csv", path="orders-*.csv")

    more = ("revenue", "discount", "refunded_amount", "margin", "channel", "coupon")
    assert [order.values[name] for name in more] == ["10.50", "1.00", "0", "7", "app", None]


KEPT = {
    "order_lines_csv": (
        "key,order,email,at,sku,name,quantity,price,currency\n"
        "o1-1,o1,a@x.example,2026-01-01T00:00:00Z,S-1,Seat,2,49.00,EUR\n"
        "o1-2,,a@x.example,2026-01-01T00:00:00Z,S-1,Seat,2,49.00,EUR\n",
        {"order_id": "o1", "price": "49.00", "quantity": "2", "contact_email": "a@x.example"},
        "o1-1",
        "no_order_id",
    ),
    "subscriptions_csv": (
        "key,email,company_domain,plan,status,mrr,currency,interval,seats,started_at,trial_end,"
        "renews_at,cancel_at,canceled_at,updated_at\n"
        "s1,a@x.example,x.example,team,active,98.00,EUR,month,2,2026-01-01T00:00:00Z,,"
        "2026-12-01T00:00:00Z,,,2026-02-01T00:00:00Z\n"
        "s2,a@x.example,x.example,team,,98.00,EUR,month,2,2026-01-01T00:00:00Z,,,,,\n",
        {"account_domain": "x.example", "quantity": "2", "mrr": "98.00", "trial_end": None},
        "s1",
        "no_status",
    ),
    "tickets_csv": (
        "key,email,subject,category,status,priority,channel,created_at,solved_at,"
        "first_reply_minutes,csat,updated_at\n"
        "t1,a@x.example,Help,Bug,solved,high,chat,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,12,4,"
        "2026-02-01T00:00:00Z\n"
        "t2,a@x.example,Help,Bug,new,high,chat,,,,,\n",
        {"first_reply_minutes": "12", "csat": "4", "category": "Bug"},
        "t1",
        "no_created_at",
    ),
    "surveys_csv": (
        "response,survey,question,type,kind,email,at,score,score_max,choice,text\n"
        "r1,nps,recommend,rating,nps,a@x.example,2026-01-01T00:00:00Z,9,10,,\n"
        "r2,nps,reason,text,,a@x.example,2026-01-01T00:00:00Z,,,,Fine\n",
        {"kind": "nps", "score": "9", "score_max": "10", "text": None, "response_id": "r1"},
        '["r1", "recommend"]',
        "no_kind",
    ),
    "emails_jsonl": (
        '{"key": "m1", "email": "a@x.example", "campaign": "c", "topic": "t", "action": "click", '
        '"at": "2026-01-01T00:00:00Z", "link": "/pricing"}\n'
        '{"key": "m2", "email": "a@x.example", "campaign": "c", "at": "2026-01-01T00:00:00Z"}\n',
        {"action": "click", "link": "/pricing", "topic": "t", "campaign": "c"},
        "m1",
        "no_action",
    ),
}


@pytest.mark.parametrize("preset", KEPT)
def test_presets_of_shop_billing_desk_surveys_and_mail(drops, preset):
    """A column read under another name would leave its field unknown to every rule."""
    content, values, key, code = KEPT[preset]
    drops.put("a.txt", content)

    (row,), aside = drops.rows(preset=preset, path="a.txt")

    assert row.source_id == key
    assert values.items() <= row.values.items()
    assert [reason for _, reason in aside] == [code]
    assert (row.observed_at is not None) == ("updated_at" in row.values)


def test_custom_columns_come_with_the_table_they_are_declared_for(drops):
    """A field that settings name and the file has not must stop the pull, not be blank."""
    drops.put("a.csv", "Mail,Tier\na@x.example,Gold\n")
    given = {"path": "a.csv", "table": "contact", "columns": {"email": "Mail"}, "key": ["Mail"]}

    drops.custom = {"contact": {"custom_tier": "Tier"}, "account": {"custom_x": "X"}}
    (row,), _ = drops.rows(**given)
    assert row.values == {"email": "a@x.example", "custom_tier": "Gold"}

    drops.custom = {"contact": {"custom_tier": "Level"}}
    with pytest.raises(Stop, match="no column Level"):
        drops.rows(**given)


def test_consents_keep_every_statement_with_its_proof(drops):
    """A withdrawal must not be overwritten by an older grant that is delivered again."""
    drops.put(
        "consent-1.csv",
        "email,purpose,channel,status,at\n"
        "a@x.example,advertising,ads,granted,2026-01-01T00:00:00+00:00\n"
        "a@x.example,advertising,ads,denied,2026-02-01T00:00:00+00:00\n"
        "a@x.example,advertising,ads,,2026-02-01T00:00:00+00:00\n",
    )

    rows, aside = drops.rows(preset="consent_csv", path="consent-*.csv")

    assert [(row.values["status"], row.values["proof"]) for row in rows] == [
        ("granted", "consent-1.csv:2"),
        ("denied", "consent-1.csv:3"),
    ]
    assert rows[1].observed_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert aside == [(4, "no_status")]


INTENT = (
    "Acme,https://www.acme.example/x,51-200 employees,banking,ads,marketing,72,[72],United States\n"
    ",,,,ads,marketing,72,,\nBad,not a domain,,,ads,marketing,60,,\n"
    ",quiet.example,,,,,0,,\nshort,row\n"
)


def test_intent_files_take_their_week_from_their_name(drops):
    """The file itself has no date, and no header."""
    drops.put("intent-2026-11-09.csv", INTENT)

    rows, aside = drops.rows(preset="bombora", path="intent-*.csv")

    signal, account, quiet, _ = rows
    assert signal.source_id == "intent-2026-11-09.csv:1"
    assert signal.values == {
        "account_domain": "www.acme.example",
        "topic": "marketing",
        "category": "ads",
        "score": "72",
        "period_start": "2026-11-09",
        "period_end": "2026-11-15",
    }
    assert (account.table, account.source_id) == ("account", "www.acme.example")
    assert account.values["employee_range"].startswith("51-200")
    assert account.observed_at == datetime(2026, 11, 15, tzinfo=UTC)
    assert quiet.values["topic"] is None and quiet.values["score"] == "0"
    assert aside == [(2, "no_account_domain"), (3, "no_account_domain"), (5, "columns")]


def test_intent_without_a_period_stops_before_it_is_read(drops):
    """A score of no known week would never grow old."""
    drops.put("surge.csv", INTENT)

    with pytest.raises(Stop, match="days"):
        drops.pull(preset="bombora", path="surge.csv")
    assert drops.rows(preset="bombora", path="surge.csv", period="2015-07")[0]


def test_missing_real_data_says_how_to_get_it(drops, monkeypatch):
    """A person without the sample sees an instruction, not a traceback."""
    monkeypatch.delenv("AUDIENCEHUB_REALDATA", raising=False)

    with pytest.raises(Stop) as caught:
        drops.source(preset="bombora", period="2015-07").check()

    assert "AUDIENCEHUB_REALDATA" in caught.value.hint


def test_a_missing_package_says_how_to_install_it(drops, monkeypatch):
    """CDNOW is not among the dependencies."""

    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("connectors.files.source.distribution", absent)

    with pytest.raises(Stop) as caught:
        drops.source(preset="cdnow").check()

    assert caught.value.hint == "Run: pip install --no-deps Lifetimes==0.11.3"


def test_the_bombora_sample_loses_no_row(drops):
    """10,000 real rows as delivered."""
    if not os.environ.get("AUDIENCEHUB_REALDATA"):
        pytest.skip("Bombora sample: set AUDIENCEHUB_REALDATA to the folder that holds it")

    rows, aside = drops.rows(preset="bombora", period="2015-07")

    signals = [row for row in rows if row.table == "intent_signal"]
    assert len(signals) + len(aside) == 10_000
    assert len({row.source_id for row in rows if row.table == "account"}) == 952
    assert len({row.values["topic"] for row in signals} - {None}) == 1168


def test_cdnow_gives_the_published_totals(drops):
    """69,659 purchases of 23,570 customers for 2,500,315.63 dollars."""
    try:
        distribution("Lifetimes")
    except PackageNotFoundError:
        pytest.skip("CDNOW: pip install --no-deps Lifetimes==0.11.3")

    rows, aside = drops.rows(preset="cdnow")

    assert aside == []
    assert len({row.source_id for row in rows}) == 69_659
    assert len({row.values["contact_external_id"] for row in rows}) == 23_570
    assert sum(Decimal(row.values["total"]) for row in rows) == Decimal("2500315.63")
    assert sum(int(row.values["quantity"]) for row in rows) == 167_881
    assert min(row.values["at"] for row in rows) == "1997-01-01T12:00:00+00:00"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"preset": "nope"},
        {"preset": "events_jsonl"},
        {"preset": "bombora", "columns": {"a": "b"}},
        {"path": "a.csv", "table": "evnt", "columns": {"name": "n"}},
        {"path": "a.csv", "table": "event", "columns": {"nam": "n"}},
        {"path": "a.csv", "table": "event"},
        {"table": "event", "columns": {"name": "n"}},
        {"path": "a.csv", "table": "event", "columns": {"at": "n"}, "convert": {"at": "tomorrow"}},
        {"path": "a.csv", "table": "event", "columns": {"at": "n"}, "encoding": "utf-16"},
        {"preset": "bombora", "period": "July"},
        {"preset": "cdnow", "misspelt": 1},
    ],
)
def test_wrong_options_are_refused(options):
    """Before anything is read."""
    with pytest.raises(ValidationError):
        FilesOptions(**options)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_name_only_fields_that_exist(name):
    """A slip of the pen in the data would be a column of unknowns."""
    for mapped in PRESETS[name].maps:
        known = {one.name for one in TABLES[mapped.table].fields} | set(LINKS)
        named = {
            *mapped.columns,
            *mapped.constants,
            *mapped.convert,
            *mapped.required,
            mapped.observed,
            mapped.origin,
        } - {""}

        assert named <= known


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2015-07", (date(2015, 7, 1), date(2015, 7, 31))),
        ("2024-02", (date(2024, 2, 1), date(2024, 2, 29))),
        ("2026-11-09", (date(2026, 11, 9), date(2026, 11, 15))),
        ("2026-11-09/2026-11-22", (date(2026, 11, 9), date(2026, 11, 22))),
        ("2026-11-22/2026-11-09", None),
        ("2026-13", None),
        ("2026-02-30", None),
        ("", None),
        ("9999-12-31", None),
    ],
)
def test_periods(text, days):
    """First and last day, both included."""
    assert period(text) == days


def test_conversions_refuse_what_they_do_not_know():
    """None is counted; a guess is not."""
    assert noon_utc("19970101") == "1997-01-01T12:00:00+00:00"
    assert [noon_utc(one) for one in ("19971301", "1997-1-1", "", "١٩٩٧٠١٠١")] == [None] * 4
    assert host(" HTTPS://WWW.Acme.example/a?b ") == "www.acme.example"
    assert [host(one) for one in ("acme", "a b.example", "10.0.0.1", "a@b.example", "..", "")] == [
        None
    ] * 6
    assert period_in_name("intent-2026-11-09.csv") == (date(2026, 11, 9), date(2026, 11, 15))
    assert period_in_name("intent-12026-11-09.csv") is None


def test_the_front_page_names_what_exists():
    """A path that cannot be imported fails only when someone uses it."""
    from audiencehub.connector import load

    assert [load(path) for path in (SPEC.source, SPEC.options)]
