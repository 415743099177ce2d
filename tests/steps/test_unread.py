"""What a pull did not read, or could not use: nobody is gone because of it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from audiencehub import rules
from audiencehub.delivery import gates
from audiencehub.delivery.columns import emptied, lost
from audiencehub.errors import Stop
from audiencehub.rules.language.catalog import Catalog
from audiencehub.settings import Guards
from audiencehub.steps import land
from tests.steps.conftest import whole


def standing(desk):
    """The ids of contacts that are neither deleted nor absent."""
    return [r[0] for r in desk.rows("SELECT source_id FROM source_contact WHERE NOT deleted")]


@pytest.mark.fault(10)
def test_absence_from_an_incomplete_pull_is_no_tombstone(desk, contact):
    """Half a pull would take the other half of the company out of every audience."""
    people = [contact(key, email=f"{key}@acme.example") for key in "abc"]
    desk.run(crm={"contact": whole(*people)})

    cut = [{"records": people[:1], "full": True}, {"incomplete": True}]
    seen = desk.run(crm={"contact": cut})
    never = desk.run(crm={"contact": [{"records": people[:1], "full": True}]})
    empty = desk.run(crm={"contact": whole()})

    assert sorted(standing(desk)) == ["a", "b", "c"]
    assert [one["crm"].complete for one in (seen, never, empty)] == [False] * 3
    assert all(one["crm"].streams[0].reason for one in (seen, never, empty))
    desk.run(crm={"contact": whole(*people[:1])})
    assert standing(desk) == ["a"], "and a whole one tells who is gone"


@pytest.mark.fault(10)
def test_a_record_that_could_not_be_used_is_not_absent(desk, contact):
    """It is there, and was set aside: its person would be removed for a line that nobody read."""
    people = [contact(key, email=f"{key}@acme.example") for key in "abc"]
    desk.run(crm={"contact": whole(*people)})

    desk.run(crm={"contact": whole(people[0], contact("b", skip="no_use"))})

    assert sorted(standing(desk)) == ["a", "b"]


@pytest.mark.fault(10)
def test_the_watermark_stays_where_the_last_whole_pull_left_it(desk, contact):
    """What a cut pull did not read would never be asked for again."""
    desk.run(crm={"contact": whole(contact("a"), cursor={"at": "1"})})
    cut = [{"records": [contact("b")], "cursor": {"at": "2"}}, {"incomplete": True}]

    desk.run(crm={"contact": cut})

    assert desk.ledger.manifests.cursor("crm", "contact") == {"at": "1"}


@pytest.mark.fault(13)
def test_a_source_that_stops_is_not_believed_by_what_it_said_before(desk, contact):
    """A field that is gone stops the pull; behavior then grows old, and people would drop out."""
    script = {"account": whole(), "contact": whole(contact("a"))}
    desk.run(crm=script)

    with pytest.raises(Stop):
        desk.run(crm={"contact": [{"stop": True}], "account": whole()})
    land.land(desk.hub, "crm")

    guards = Guards()
    found = gates.sources(desk.ledger, ["crm"], guards, "crm/contact/tags")
    assert [(one.name, one.verdict) for one in found] == [("incomplete_source", "defer")] * 2
    assert all("A field is gone" in one.message for one in found)
    assert standing(desk) == ["a"]
    desk.run(crm=script)
    assert gates.sources(desk.ledger, ["crm"], guards, "x")[0].verdict == "ok"


@pytest.mark.fault(13)
@pytest.mark.parametrize(("value", "unreadable"), [(None, 0), ("about fifty", 40)])
def test_a_field_that_is_dropped_or_retyped_is_noticed(desk, value, unreadable):
    """Everybody would lose what made them a member, in a pull that is whole and in order."""

    def accounts(count, employees):
        return whole(
            *(
                {"id": f"a{n}", "values": {"name": f"A{n}", "employee_count": employees}}
                for n in range(count)
            )
        )

    desk.run(crm={"account": accounts(40, 50)})
    desk.run(crm={"account": accounts(40, 50)})
    assert not list(lost(desk.warehouse.connection))

    desk.run(crm={"account": accounts(40, value)})

    fields = {one.field: one for one in lost(desk.warehouse.connection)}
    assert fields.keys() <= {("account", "employee_count"), ("account", "employee_range")}
    found = fields["account", "employee_count"]
    assert (found.usual, found.now, found.unreadable) == (1.0, 0.0, unreadable)


RULE = """\
segment: large
label: Large companies
model: firmographic
of: account
goal: Meetings with large companies
action: Calls
owner: revops@acme.example
review_by: 2027-06-01
when:
  employee_count: {at_least: 40}
activate:
  - {to: crm, as: tag}
examples:
  - {given: {account: {employee_count: 50}}, member: true}
  - {given: {account: {employee_count: 5}}, member: false}
"""


@pytest.mark.fault(13)
def test_a_lost_field_that_rules_read_holds_and_is_released_when_it_heals(desk, tmp_path):
    """Only a person can tell a field that was retyped from one emptied on purpose."""

    def accounts(**values):
        made = [{"id": f"a{n}", "values": {"name": f"A{n}", **values}} for n in range(40)]
        desk.run(crm={"account": whole(*made)})

    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "large.yaml").write_text(RULE, "utf-8")
    tables = desk.settings.tables
    book = rules.load(
        tmp_path / "rules",
        zone=ZoneInfo("UTC"),
        currency="EUR",
        catalog=Catalog(tables),
        root=tmp_path,
    )
    accounts(employee_count=50, city="Oslo")
    accounts(employee_count=50)
    connection, ledger = desk.warehouse.connection, desk.ledger
    assert not emptied(connection, ledger, book, "crm/account/tags"), "no rule reads the city"

    accounts(employee_count="about fifty")

    (found,) = emptied(connection, ledger, book, "crm/account/tags")
    assert (found.name, found.verdict) == ("source_field", "hold")
    assert "employee_count" in found.message and "large read it" in found.message
    accounts(employee_count=50)
    assert not emptied(connection, ledger, book, "crm/account/tags"), "healed"
