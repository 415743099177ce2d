"""Lists of companies: they give no consent, the suppressed stay out, a bad domain costs itself."""

from __future__ import annotations

from dataclasses import replace

from tests.platforms import crowd
from tests.platforms.clock import skipping
from tests.platforms.house import house, small_batches
from tests.platforms.stands import STANDS

COMPANIES = 500
WRITTEN = ("https://{}/about", " {} ", "{}", "HTTP://{}:443")
BAD = ("n/a", "not a domain", "mary@acme.example", "")


def domain(number: int) -> str:
    return f"acme{number}.example"


def test_companies_by_their_domains(monkeypatch, tmp_path):
    """Companies are reached by domain; one that is none must not keep the others away."""
    stand = STANDS["linkedin_ads"]
    stand = replace(stand, options={**stand.options, "members": "companies"})
    small_batches(monkeypatch, stand.connector, 150)
    numbers = range(COMPANIES)
    bad = {number for number in numbers if crowd.is_bad(number)}
    told = [(BAD if n in bad else WRITTEN)[n % 4].format(domain(n)) for n in numbers]
    with skipping(), house(stand, tmp_path, COMPANIES) as there:
        there.db.execute(
            "INSERT INTO account(account_id, domain) SELECT unnest(range(?)), unnest(?::VARCHAR[])",
            [COMPANIES, told],
        )
        there.db.execute("UPDATE contact SET account_id = contact_id")
        there.ledger.consent.suppress("account", [1], "asked", "ann", crowd.START)

        planned, done = there.sync()

        held = {
            row["companyWebsiteDomain"]
            for name, table in there.fake.store.tables()
            if name.startswith("member:")
            for row in table.values()
        }
        (made,) = planned.plans
        assert held == {domain(n) for n in numbers if n not in bad | {1}}
        assert (done.confirmed, done.rejected) == (len(held), 0)
        assert made.excluded.pop("suppressed") == 1
        assert sum(made.excluded.values()) == len(bad)
        assert there.outcomes() == {"answered"}
