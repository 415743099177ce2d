"""Members whom our rules let pass and the platform does not take: each is rejected by itself, with
the reason, and set aside after three times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.klaviyo.sandbox import people
from tests.platforms import crowd
from tests.platforms.clock import skipping
from tests.platforms.house import House, house, small_batches
from tests.platforms.stands import STANDS

PEOPLE = 400
STRANGERS = {
    "hubspot": (STANDS["hubspot"], lambda n: f"{99_000_000_000 + n}"),
    "salesforce": (STANDS["salesforce"], lambda n: f"003{n:012d}AAA"),
    "mailchimp": (replace(STANDS["mailchimp"], options={"audience_id": "a1b2c3d4e5"}), None),
    "klaviyo": (replace(STANDS["klaviyo"], options={"create_profiles": False}), None),
}
"""Stand, and for CRM records the record that a stranger is thought to have."""


def made_strange(there: House, record) -> set[int]:
    """The bad ones get what looks good and is nobody's at the platform."""
    bad = {number for number in range(there.people) if crowd.is_bad(number)}
    for number in bad:
        if record:
            there.db.execute(
                "INSERT INTO record_map(source, source_id, entity, record_kind, id)"
                " VALUES (?, ?, 'contact', 'contact', ?)",
                [there.stand.connector, record(number), number],
            )
        there.db.execute(
            "UPDATE contact SET email = ? WHERE contact_id = ?", [crowd.email(number), number]
        )
    if there.stand.connector == "mailchimp":
        for number in bad:
            del there.fake.store.table("contact:a1b2c3d4e5")[crowd.folded(crowd.email(number))]
    if there.stand.connector == "klaviyo":
        known = [people.fresh(crowd.email(n)) for n in range(there.people) if n not in bad]
        there.fake.store.table("profile").put({one["id"]: one for one in known})
    return bad


@pytest.mark.parametrize("name", STRANGERS)
def test_whom_the_platform_does_not_take_costs_nobody_else(monkeypatch, tmp_path, name):
    """A row refused without a reason is looked for in vain; one sent for ever costs calls."""
    stand, record = STRANGERS[name]
    small_batches(monkeypatch, name, 150)
    with skipping(), house(stand, tmp_path, PEOPLE) as there:
        bad = made_strange(there, record)
        there.say(range(PEOPLE), "granted", -60)
        for number in range(3):
            planned, done = there.sync()
            good = PEOPLE - len(bad) if number == 0 else 0
            assert (done.confirmed, done.rejected) == (good, len(bad))
            assert there.held() == there.names(range(PEOPLE))
        assert there.outcomes() == {"answered"}, "no batch fails for one row"

        aside = there.ledger.quarantine.list(source=there.target)
        assert {int(one.source_id) for one in aside} == bad
        assert all(one.code and one.message for one in aside)
        (planned,) = there.sync()[0].plans
        assert (planned.writes, planned.excluded) == (0, {"quarantined": len(bad)})
