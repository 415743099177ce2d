"""What the audit of the data finds, on data that came in through the front door."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from audiencehub import rules
from audiencehub.insight.audit import audit, not_measurable, uncleaned
from audiencehub.insight.measures import stability
from audiencehub.insight.reads import reads
from audiencehub.settings import Audit

RULES = {
    "deciders": ("contact", "{all: [contact.title: CTO, account.industry: software]}"),
    "of_deciders": ("contact", "{all: [segment: deciders, contact.country: US]}"),
    "strangers": ("contact", "{contact.is_employee: {is_not: true, or_unknown: true}}"),
    "visitors": (
        "contact",
        "{event: {name: page_view, where: {path: {starts_with: /a}}, count: {at_least: 1},"
        " within: 30 days}}",
    ),
}


@pytest.fixture
def book(tmp_path: Path):
    folder = tmp_path / "rules" / "foundation"
    folder.mkdir(parents=True)
    for name, (of, when) in RULES.items():
        (folder / f"{name}.yaml").write_text(
            f"segment: {name}\nlabel: {name}\nmodel: demographic\nof: {of}\ngoal: g\naction: a\n"
            f"owner: o@x.example\nreview_by: 2027-02-01\nwhen: {when}\n"
        )
    return rules.load(folder.parent, zone=ZoneInfo("UTC"), currency="USD", root=tmp_path)


def whole(*records):
    return [{"records": list(records), "last": True, "full": True}]


def people(contact, count=200, **values):
    made = {name: value if callable(value) else (lambda _, v=value: v)
            for name, value in values.items()}  # fmt: skip
    return [
        contact(str(n), email=f"p{n}@x.example", **{name: one(n) for name, one in made.items()})
        for n in range(count)
    ]


def found(desk, book, limits=None, days=0):
    at = desk.hub.now + timedelta(days=days)
    fields = audit(desk.warehouse.connection, desk.warehouse.tables, limits or Audit(), book, at)
    return {one.name: one for one in fields}, not_measurable(fields, book)


def test_which_fields_each_rule_reads(book):
    """If it fails, a broken field is repaired and nobody knows which segments to look at again."""
    seen = {".".join(name): sorted(one.segments) for name, one in reads(book).items()}

    assert seen == {
        "account.industry": ["deciders"],
        "contact.country": ["of_deciders"],
        "contact.is_employee": ["strangers"],
        "contact.title": ["deciders"],
        "event.at": ["visitors"],
        "event.name": ["visitors"],
        "event.path": ["visitors"],
    }
    assert reads(book)["contact", "is_employee"].needing == frozenset()


def test_figures_of_a_field_by_source(desk, contact, book):
    """If it fails, the share of filled, understood or different values is another than it is."""
    desk.run(
        crm={"contact": whole(*people(contact, 4, title=lambda n: ["CTO", "CTO", "", None][n],
                                      country=lambda n: ["US", "DE", "Nowhere", ""][n]))},
        shop={"contact": whole(contact("s", email="p3@x.example", title="Buyer"))},
    )  # fmt: skip

    fields, _ = found(desk, book)

    title = {one.measure.source: one.measure for one in fields["contact.title"].sources}
    assert {key: (one.records, one.filled, one.distinct) for key, one in title.items()} == {
        "crm": (4, 2, 1),
        "shop": (1, 1, 1),
    }
    together = fields["contact.title"].whole.measure
    assert (together.records, together.filled, together.distinct) == (4, 3, 2), "of the people"
    country = fields["contact.country"].whole
    assert (country.measure.validity, country.verdict) == (pytest.approx(2 / 3), "invalid")
    days = country.measure.median_days
    assert days is not None
    assert 15 < days < 16, "the records were changed on 1 November, the clock stands at the 16th"


def test_a_segment_on_a_failing_field_is_not_measurable(desk, contact, book):
    """If it fails, a campaign is judged by a segment whose data never came."""
    desk.run(crm={"contact": whole(*people(contact, title="CTO", country="US"))})

    fields, lost = found(desk, book)

    assert fields["contact.title"].whole.verdict == "ok"
    assert set(lost) == {"deciders", "of_deciders", "visitors"}
    assert lost["deciders"] == ("account.industry is sparse: no source fills it",)
    assert lost["of_deciders"] == ("refers to deciders, which is not measurable",)
    assert "strangers" not in lost, "it says itself what an unknown value means"


def test_old_values_and_silent_feeds_are_stale(desk, contact, book):
    """If it fails, a feed that stopped months ago looks as good as a running one."""
    visit = {"contact_ref": "0", "name": "page_view", "path": "/a", "at": "2026-11-10T00:00:00Z"}
    desk.run(
        crm={
            "contact": whole(*people(contact, title="CTO")),
            "event": whole({"id": "e", "values": visit}),
        }
    )

    fresh, _ = found(desk, book)
    silent, lost = found(desk, book, days=50)
    old, _ = found(desk, book, days=800)

    assert fresh["event.path"].whole.verdict == "ok"
    assert silent["event.path"].whole.verdict == "stale"
    assert silent["contact.title"].whole.verdict == "ok"
    assert "nothing newer than 56 days" in lost["visitors"][0]
    assert old["contact.title"].whole.verdict == "stale"


def test_drift_is_seen_against_the_last_full_pull(desk, contact, book):
    """If it fails, a mapping that broke overnight empties a segment and is taken for the market."""
    desk.run(full=True, crm={"contact": whole(*people(contact, title="CTO", country="US"))})
    first, _ = found(desk, book)
    assert first["contact.title"].whole.measure.fill_change is None, "nothing to compare with yet"
    half = people(contact, title=lambda n: "CTO" if n % 2 else "", country="US")
    desk.run(full=True, crm={"contact": whole(*half)})

    fields, lost = found(desk, book)

    (crm,) = fields["contact.title"].sources
    assert crm.measure.fill_change == pytest.approx(-0.5)
    assert fields["contact.title"].whole.verdict == "drifting"
    assert fields["contact.country"].whole.verdict == "ok"
    assert any("drifting: crm: -50% filled" in reason for reason in lost["deciders"])
    desk.run(full=True, crm={"contact": whole(*half)})
    assert found(desk, book)[0]["contact.title"].whole.verdict == "ok", "it is like that now"


def test_other_values_than_before_are_drift(desk, contact, book):
    """If it fails, countries that are suddenly all one pass, since every one is filled."""
    desk.run(
        full=True,
        crm={"contact": whole(*people(contact, country=lambda n: ["US", "DE", "FR"][n % 3]))},
    )
    desk.run(full=True, crm={"contact": whole(*people(contact, country="US"))})

    country = found(desk, book)[0]["contact.country"]

    assert country.sources[0].measure.fill_change == 0
    assert country.whole.verdict == "drifting"


def test_limits_of_a_field_of_its_own(desk, contact, book):
    """If it fails, one field that is sparse by nature fails for ever, or none ever does."""
    rare = people(contact, title=lambda n: "CTO" if n == 0 else "", country="US")
    desk.run(crm={"contact": whole(*rare)})

    strict, _ = found(desk, book)
    kind, _ = found(desk, book, Audit(fields={"contact.title": {"fill": 0.001}}))

    assert (strict["contact.title"].whole.verdict, kind["contact.title"].whole.verdict) == (
        "sparse",
        "ok",
    )


def test_what_could_not_be_cleaned_is_listed(desk, contact):
    """If it fails, nobody can see which values a vendor writes that the hub does not know."""
    raw = ["Atlantis", "Atlantis", "Mordor", "US"]
    desk.run(crm={"contact": whole(*people(contact, 4, country=lambda n: raw[n]))})

    (line,) = uncleaned(desk.warehouse.connection, "contact.country")

    assert (line.source, line.count, line.examples) == ("crm", 3, ("Atlantis", "Mordor"))
    assert uncleaned(desk.warehouse.connection, "contact.title") == []


def test_the_stability_index():
    """If it fails, drift is called by another measure than the one people know its limits of."""
    same = {"a": 60, "b": 40}
    assert stability(same, {"a": 600, "b": 400}) == pytest.approx(0)
    # (0.2 - 0.6) ln(0.2 / 0.6) + (0.8 - 0.4) ln(0.8 / 0.4), worked out by hand.
    assert stability(same, {"a": 20, "b": 80}) == pytest.approx(0.4394 + 0.2773, abs=1e-4)
    assert stability(same, {"c": 100}) > 1
