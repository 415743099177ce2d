"""What the machine has found in the hub, each told in a few steps."""

from __future__ import annotations

import pytest

from audiencehub.delivery import crash
from tests.model.company import Company
from tests.model.twin import address

LIST = "ads/list/warm"


@pytest.fixture
def company(monkeypatch):
    made = Company({"adds_count": 100, "first_run": "go", "field_share": 1.0})
    monkeypatch.setattr(crash, "point", made.point)
    for key in ("r0", "r1", "r2", "r3"):
        made.world.put(
            key, email=f"{key}@acme.example", title="warm", consent="granted",
            said_at=made.world.tick(),
        )  # fmt: skip
    made.sync("whole")
    yield made
    made.close()


@pytest.mark.fault(11, 18)
def test_a_no_that_was_landed_outlives_a_crash_and_a_merge(company):
    """If it fails, a person says no, the run dies before it is read, the record is merged away in
    the CRM, and the no is forgotten: the person stays on the list under the other record."""
    world = company.world
    world.put("r1", consent="denied", said_at=world.tick())
    company.sync("delta", armed=("step normalize", 1))
    world.drop("r1", into="r0")

    company.sync("delta")
    company.approve()
    company.apply()

    company.watch.check()
    assert world.lists[LIST] == {address("r2@acme.example"), address("r3@acme.example")}


def test_a_destination_that_is_out_stops_no_other(company):
    """If it fails, one platform's outage, while rows of it are in doubt, ends the run for all: tags
    are not written, and consent is not withdrawn anywhere."""
    world = company.world
    world.put("r4", email="r4@acme.example", title="warm", consent="granted", said_at=world.tick())
    company.sync(
        "delta", doors={"push-ads": lambda: world.faults.extend([("lost_before", None)] * 4)}
    )
    company.approve()
    world.faults.append(("stop", None))
    world.put("r1", title="warm hot")

    result = company.sync("delta")

    assert world.tags["r1"] == {"hot", "warm"}
    assert [one.partition(":")[0] for one in result.problems] == ["ads/list/fresh"]
    company.watch.check()
    company.sync("delta")
    assert world.lists[LIST] == {address(f"r{n}@acme.example") for n in range(5)}


@pytest.mark.fault(11, 18)
def test_whom_nobody_is_believed_to_keep_on_a_list_is_not_left_there(company):
    """If it fails, two people become one while the answer of a call is lost, and the address of the
    one stays on the list although nobody is believed to be there with it: for ever."""
    world = company.world
    world.put("r0", email="r1@acme.example")
    world.faults += [("lost_after", None)] * 2
    company.sync("delta")
    company.approve()
    company.apply()
    company.watch.check()

    company.sync("delta")
    company.approve()
    company.apply()

    company.watch.check()
    assert world.lists[LIST] == {address(f"r{n}@acme.example") for n in (1, 2, 3)}
