"""The LinkedIn destination against its fake: companies."""

from dataclasses import replace

import pytest

from audiencehub.errors import Stop
from audiencehub.model import Change
from connectors.linkedin_ads.destination import LinkedInAds


@pytest.fixture
def companies(fake, opened, target):
    destination = opened(fake, members="companies")
    return destination, replace(target, remote=destination.ensure(target, []))


def company(number, op="add", **more):
    return Change(
        f"account-{number}", op, identifiers={"company_domain": f"a{number}.example", **more}
    )


def test_companies_go_to_their_own_path_under_its_own_names(companies, fake):
    """If this fails, companies are posted to /users or as `companyDomain`, which reaches nobody."""
    destination, ready = companies
    whole = company(1, organization_urn="urn:li:organization:1480", company_name="Acme")
    assert [r.verdict for r in destination.apply(ready, [whole])] == ["confirmed"]
    assert fake.requests()[-1]["path"].endswith("/companies")
    assert fake.members(ready.remote["segment_id"]) == [
        {
            "companyWebsiteDomain": "a1.example",
            "organizationUrn": "urn:li:organization:1480",
            "companyName": "Acme",
        }
    ]


def test_a_company_named_alone_is_enough(companies, fake):
    """If this fails, accounts without a website never reach a list of companies."""
    destination, ready = companies
    named = Change("account-9", "add", identifiers={"company_name": "Acme Analytics"})
    empty = Change("account-8", "add", identifiers={"company_domain": "", "company_name": ""})
    found = destination.apply(ready, [named, empty])
    assert [r.verdict for r in found] == ["confirmed", "rejected"]
    assert found[1].reason.startswith("no_identifier")


def test_a_company_that_linkedin_refuses_costs_itself_alone(companies, fake):
    """If this fails, one odd domain stops the whole list, or its text gets into the ledger."""
    destination, ready = companies
    odd = Change("odd", "add", identifiers={"company_domain": "mary@acme.example"})
    found = destination.apply(ready, [company(1), odd, company(2)])
    assert [r.verdict for r in found] == ["confirmed", "rejected", "confirmed"]
    assert found[1].reason == "refused_400: INVALID_PARAMS"
    assert len(fake.members(ready.remote["segment_id"])) == 2


def test_people_are_no_companies(companies):
    """If this fails, an option that was changed sends people's hashes as companies."""
    destination, ready = companies
    person = Change("p", "add", identifiers={"email": "ab" * 32})
    assert destination.apply(ready, [person])[0].reason.startswith("unknown_identifier")


def test_a_list_of_people_does_not_become_one_of_companies(opened, fake, target):
    """If this fails, an option that was changed leaves people on a segment that nobody asks for
    their consent any more, and none of them can be taken out."""
    ready = replace(target, remote=opened(fake).ensure(target, []))
    with pytest.raises(Stop) as raised:
        opened(fake, members="companies").ensure(ready, [])
    assert "members" in raised.value.hint


def test_two_domains_of_one_company_do_not_cross(companies, fake):
    """If this fails, a company that left stays because its name came with another domain."""
    destination, ready = companies
    old, new = company(1, "remove", company_name="Acme"), company(2, company_name="Acme")
    destination.apply(ready, [company(1, company_name="Acme")])
    before = len(fake.requests())
    assert {r.verdict for r in destination.apply(ready, [old, new])} == {"confirmed"}
    assert len(fake.requests()) - before == 2, "the name stands in both, so that order counts"
    (held,) = fake.members(ready.remote["segment_id"])
    assert held["companyWebsiteDomain"] == "a2.example"


def test_what_it_can_do_follows_the_option(companies, destination):
    """If this fails, the hub asks companies for consent, or people for none."""
    can = companies[0].can
    assert (can.members, can.need, can.ceilings[0].calls) == ("account", None, 300)
    assert can.identifiers == ("company_domain", "organization_urn", "company_name")
    assert can.minimum is None, "40 companies may have 300 people"
    for people in (destination.can, LinkedInAds.can):
        assert (people.members, people.ceilings[0].calls) == ("contact", 600)
        assert people.need is not None and people.need.purpose == "advertising"


def test_figures_of_companies(companies, fake):
    """If this fails, the reach of a list of companies is counted in companies."""
    destination, ready = companies
    destination.apply(ready, [company(n) for n in range(40)])
    fake.later(hours=49)
    figures = destination.figures(ready)
    assert figures.state == "ready" and figures.size[0] > 300
    assert 0.3 < figures.match[0] < 0.9
