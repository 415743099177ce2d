"""The fault scripts of the sandbox, on every destination there is: each fault happens as scripted,
and no row gets a verdict that is not true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests

from audiencehub import connector
from audiencehub.connector import Context, Destination
from audiencehub.errors import BatchRefused, HubError, OutcomeUnknown, Stop, Wait
from audiencehub.model import Change, Receipt, TagOption, TagValue, Target
from audiencehub.privacy.identifiers import identify
from audiencehub.privacy.rule import Identifier
from audiencehub.sandbox.clock import START, SandboxClock
from audiencehub.sandbox.host import serve
from audiencehub.sandbox.kit import VendorSandbox
from audiencehub.sandbox.store import Store
from connectors.hubspot.sandbox import HubSpotSandbox
from connectors.hubspot.sandbox.seed import record_id
from connectors.salesforce.destination import SalesforceTags
from connectors.salesforce.sandbox import SalesforceSandbox
from tests.platforms.crm import people
from tests.platforms.crowd import email
from tests.platforms.stands import STANDS

ROWS = 8
FOR_EVER = 10**9
WARM = TagValue(("warm",), "because")
TAGS: Mapping[str, Mapping[str, Any]] = {"salesforce": {"create_fields": True}, "hubspot": {}}
LISTS = (
    "meta_ads",
    "linkedin_ads",
    "tiktok_ads",
    "microsoft_ads",
    "klaviyo",
    "mailchimp",
    "webhook",
    "hubspot_list",
    "salesforce_list",
)
"""Of `STANDS`; a CRM's list under a name of its own."""
WRITES = {
    "salesforce": "composite/sobjects",
    "hubspot": "/batch/update",
    "meta_ads": "/users",
    "linkedin_ads": "/users",
    "tiktok_ads": "/segment/mapping/",
    "microsoft_ads": "/CustomerListUserData/Apply",
    "klaviyo": "/profile-bulk-import-jobs",
    "mailchimp": "/segments/",
    "webhook": "/audiences",
    "hubspot_list": "/memberships/",
    "salesforce_list": "composite/sobjects",
}
VERDICTS = {
    "salesforce": ".",
    "salesforce_list": ".",
    "hubspot": "results",
    "linkedin_ads": "elements",
    "mailchimp": "members_added",
}
"""Where a reply has its list of verdicts."""
UNFIT: Mapping[str, Mapping[str, Any]] = {
    "meta_ads": {"num_received": ROWS + 3},
    "tiktok_ads": {"code": None},
    "microsoft_ads": {"PartialErrors": None},
    "klaviyo": {"data": {"type": "profile-bulk-import-job", "id": "of others"}},
    "webhook": {"rejected": [{"in": "added", "index": ROWS, "reason": "x"}]},
    "hubspot_list": {"recordsIdsAdded": ["12345"]},
}
"""What spoils a reply that has none: Meta's has counts only, TikTok's a code for the whole,
Microsoft's and the webhook's what was refused, Klaviyo's names an import, HubSpot's records."""
ALIKE = {
    "hubspot": ({"shuffle": 1}, {"repeat": 1}),
    "salesforce_list": ({"shuffle": 1}, {"strange": 2}),
    "linkedin_ads": ({"shuffle": 1}, {"strange": 2}),
    "mailchimp": (
        {"shuffle": 1},
        {"drop": 1},
        {"repeat": 1},
        {"strange": 2},
        {"drop": 2, "strange": 1},
    ),
}
"""What leaves a list of verdicts as good as it was: HubSpot's name their rows, LinkedIn's and
those of campaigns are alike but for the status, and whom Mailchimp's leave out is looked at."""
SEEKERS = ("microsoft_ads",)
"""Those that find the row to blame themselves: one of theirs goes out in calls of several kinds."""
REFUSAL: Mapping[str, tuple[int, Any]] = {
    "salesforce": (400, [{"errorCode": "INVALID_FIELD", "message": "no"}]),
    "hubspot": (400, {"status": "error", "category": "VALIDATION_ERROR", "message": "no"}),
    "meta_ads": (400, {"error": {"code": 100, "message": "no"}}),
    "linkedin_ads": (400, {"status": 400, "code": "INVALID_PARAMS", "message": "no"}),
    "tiktok_ads": (200, {"code": 40002, "message": "no", "data": {}}),
    "microsoft_ads": (400, {"OperationErrors": [{"Code": 8004, "Message": "no"}]}),
    "klaviyo": (400, {"errors": [{"code": "invalid", "source": {"pointer": "/data"}}]}),
    "mailchimp": (400, {"title": "Invalid Resource", "status": 400, "detail": "no"}),
    "webhook": (422, {"error": "no"}),
    "hubspot_list": (400, {"status": "error", "category": "VALIDATION_ERROR", "message": "no"}),
    "salesforce_list": (400, [{"errorCode": "INVALID_FIELD", "message": "no"}]),
}
NO_KEY: Mapping[str, tuple[int, Any]] = {
    **{name: (401, body) for name, (_, body) in REFUSAL.items()},
    "meta_ads": (401, {"error": {"code": 190}}),
    "tiktok_ads": (200, {"code": 40105, "message": "no", "data": {}}),
    "microsoft_ads": (401, {"Errors": [{"Code": 105, "Message": "no"}]}),
}


@dataclass
class Vendor:
    """A fake on loopback, the destination that writes to it, and eight rows to write."""

    name: str
    sandbox: VendorSandbox
    destination: Destination
    target: Target
    changes: Sequence[Change]
    url: str

    def script(self, **fault: Any) -> None:
        """One fault on the calls that carry rows, through the door that a user has."""
        body = [{"path": WRITES[self.name], **fault}]
        assert requests.post(f"{self.url}/__faults", json=body, timeout=5).status_code == 204

    def apply(self) -> Sequence[Receipt] | HubError:
        """What the hub is told of the eight rows."""
        try:
            return self.destination.apply(self.target, self.changes)
        except HubError as error:
            return error

    def kept(self) -> list[bool]:
        """Of each row: does the vendor hold it?"""
        if self.name in LISTS:
            stand = STANDS[_connector(self.name)]
            there = set(stand.held(self.sandbox))
            return [stand.name(self.sandbox, int(one.member)) in there for one in self.changes]
        if isinstance(self.sandbox, HubSpotSandbox):
            records = self.sandbox.records.table("contacts")
            held = [records[one.member]["properties"] for one in self.changes]
            return [one.get("audiencehub_segments") == "warm" for one in held]
        contacts = self.sandbox.store.table("Contact")
        rows = [contacts[one.member] for one in self.changes]
        return [one.get("Audiencehub_Segments__c") == "warm" for one in rows]


@pytest.fixture(params=[*TAGS, *LISTS])
def vendor(request: pytest.FixtureRequest) -> Iterator[Vendor]:
    name = request.param
    kind = _connector(name)
    spec, store = connector.spec(kind), Store()
    sandbox: VendorSandbox = connector.load(str(spec.sandbox))(
        store, SandboxClock(store), {"alias_lag": 0, "status": "subscribed"}
    )
    sandbox.seed(people(kind, ROWS))
    with serve(sandbox) as url:
        options = dict(STANDS[kind].options if name in LISTS else TAGS[name])
        context = Context(kind, options, lambda one: f"sandbox-{one}", START, url)
        destination: Destination = connector.load(str(spec.destination))(context)
        target = Target(kind, "tag", "contact")
        if name in LISTS:
            target = Target(kind, "list", "warm", label="Warm")
        remote = destination.ensure(target, [TagOption("warm", "Warm")])
        target = replace(target, remote=remote)
        made = _member if name in LISTS else _change
        rows = [made(destination, sandbox, number) for number in range(ROWS)]
        yield Vendor(name, sandbox, destination, target, rows, url)


def _change(_: Destination, sandbox: VendorSandbox, number: int) -> Change:
    key = f"c{number:06d}"
    if isinstance(sandbox, SalesforceSandbox):
        return Change(sandbox.id_of("Contact", key), "set", WARM)
    return Change(record_id(key), "set", WARM)


def _member(destination: Destination, sandbox: VendorSandbox, number: int) -> Change:
    stand = STANDS[destination.context.name]
    if stand.record:
        ids = {"records": stand.record(sandbox, number)}
        return Change(str(number), "add", identifiers=ids)
    found = identify(destination.can.platform, "email", email(number))
    assert isinstance(found, Identifier)
    return Change(str(number), "add", identifiers={"email": found.sent})


def _connector(name: str) -> str:
    return name.removesuffix("_list")


def true(vendor: Vendor, told: Sequence[Receipt] | HubError) -> Sequence[Receipt]:
    """The receipts, if each is true: one per row in order, none confirmed that is not held."""
    assert not isinstance(told, HubError), told
    assert [one.member for one in told] == [one.member for one in vendor.changes]
    for receipt, kept in zip(told, vendor.kept(), strict=True):
        assert receipt.verdict != "confirmed" or kept
    return told


def test_without_faults_every_row_is_kept(vendor: Vendor) -> None:
    """Else the tests below prove nothing."""
    assert {one.verdict for one in true(vendor, vendor.apply())} == {"confirmed"}
    assert all(vendor.kept())


@pytest.mark.fault(1)
@pytest.mark.fault(2)
@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("delay", [0, 0.05], ids=["reset", "hang"])
def test_an_answer_that_never_comes_is_neither_yes_nor_no(
    vendor: Vendor, applied: bool, delay: float
) -> None:
    """If this fails, a lost answer counts as success, or as failure."""
    vendor.script(hang_up=True, delay=delay, after_apply=applied)

    assert isinstance(vendor.apply(), OutcomeUnknown)
    assert vendor.kept() == [applied] * ROWS


@pytest.mark.fault(3)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("after", ["2000", "Mon, 16 Nov 2099 09:00:00 GMT"], ids=["s", "date"])
def test_a_wait_that_is_asked_for_is_told_and_nothing_is_sent(
    vendor: Vendor, status: int, after: str
) -> None:
    """If this fails, a vendor that asked for rest is hammered, or a run ends green."""
    vendor.script(status=status, headers={"Retry-After": after}, times=FOR_EVER)

    told = vendor.apply()

    assert isinstance(told, Wait) and (told.seconds or 0) > 900
    assert not any(vendor.kept())


@pytest.mark.fault(4)
@pytest.mark.parametrize(
    "how",
    [{"shuffle": 1}, {"drop": 1}, {"repeat": 1}, {"strange": 2}, {"drop": 2, "strange": 1}],
    ids=["shuffled", "missing", "twice", "strangers", "missing and strangers"],
)
def test_verdicts_that_do_not_fit_confirm_nobody_else(vendor: Vendor, how: dict[str, int]) -> None:
    """If this fails, a row is confirmed by another row's verdict."""
    if vendor.name in VERDICTS:
        vendor.script(rows=VERDICTS[vendor.name], **how)
    else:
        vendor.script(set_json=dict(UNFIT[vendor.name]))

    told = vendor.apply()

    if isinstance(told, OutcomeUnknown):
        assert all(vendor.kept())
        return
    receipts = true(vendor, told)
    assert how in ALIKE.get(vendor.name, ()) or {one.verdict for one in receipts} - {"confirmed"}


@pytest.mark.fault(7)
def test_one_bad_row_refuses_the_batch_it_is_in(vendor: Vendor) -> None:
    """If this fails, nobody can be told which row the vendor chokes on."""
    poison = vendor.changes[3]
    mark = next(iter(poison.identifiers.values()), poison.member)
    if isinstance(vendor.sandbox, SalesforceSandbox):
        vendor.sandbox.set(refuse={mark: "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
        receipts = true(vendor, vendor.apply())
        assert [one.verdict for one in receipts].index("rejected") == 3
        assert vendor.kept().count(True) == ROWS - 1
        return
    status, body = REFUSAL[vendor.name]
    vendor.script(body_has=mark, status=status, body=body, times=FOR_EVER)

    whole = vendor.apply()
    if vendor.name in SEEKERS:
        assert [one.verdict for one in true(vendor, whole)].index("rejected") == 3
        assert vendor.kept().count(True) == ROWS - 1
        return
    vendor.changes = [one for one in vendor.changes if one is not poison]

    assert isinstance(whole, BatchRefused)
    assert {one.verdict for one in true(vendor, vendor.apply())} == {"confirmed"}


@pytest.mark.fault(8)
def test_a_key_that_dies_after_some_calls_stops_the_rest(vendor: Vendor) -> None:
    """If this fails, a run goes on for hours with a key that is refused."""
    status, body = NO_KEY[vendor.name]
    vendor.script(skip=1, status=status, body=body, times=FOR_EVER)

    first, second = vendor.apply(), vendor.apply()

    true(vendor, first)
    assert isinstance(second, Stop)
    assert "sandbox-" not in str(second)


@pytest.mark.fault(17)
@pytest.mark.parametrize(("share", "missing"), [(0.5, 4), (0.01, 1), (1.0, 8)])
def test_a_lie_confirms_and_does_not_keep(vendor: Vendor, share: float, missing: int) -> None:
    """If this fails, the one fault that no status tells has never been met by a test."""
    vendor.script(lie=share, seed=7)

    told = vendor.apply()

    assert not isinstance(told, HubError)
    assert {one.verdict for one in told} == {"confirmed"}
    assert vendor.kept().count(False) == missing


@pytest.mark.fault(6)
@pytest.mark.parametrize("times", [1, FOR_EVER])
def test_locked_rows_ask_for_another_try_and_the_others_go_on(times: int) -> None:
    """If this fails, one locked account holds up a whole org. Only Salesforce locks single rows."""
    store = Store()
    org = SalesforceSandbox(store, SandboxClock(store))
    org.seed(people("salesforce", ROWS))
    with serve(org) as url:
        options = {"create_fields": True}
        context = Context("salesforce", options, lambda one: f"sandbox-{one}", START, url)
        tags = SalesforceTags(context)
        target = Target("salesforce", "tag", "contact")
        remote = tags.ensure(target, [TagOption("warm", "Warm")])
        rows = [_change(tags, org, number) for number in range(ROWS)]
        org.set(locks={rows[2].member: times})
        found = Vendor("salesforce", org, tags, replace(target, remote=remote), rows, url)

        first, second = found.apply(), found.apply()

        assert not isinstance(first, HubError) and not isinstance(second, HubError)
        assert [one.verdict for one in first].count("retry") == 1
        assert (second[2].verdict == "confirmed") is (times == 1)
        assert found.kept().count(True) == ROWS - (times != 1)
