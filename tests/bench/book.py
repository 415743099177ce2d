"""Sixty rules over the kinds of condition that there are."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import yaml

from audiencehub.rules.book import RuleBook, Segment
from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.folder import read_segment

ZONE = ZoneInfo("America/New_York")


def _event(name: str, days: int, **more: Any) -> dict[str, Any]:
    return {"event": {"name": name, "within": f"{days} days", **more}}


def _count(at_least: int) -> dict[str, Any]:
    return {"count": {"at_least": at_least}}


FIELDS: list[Any] = [
    {"lifecycle_stage": ["lead", "mql"]},
    {"title": {"contains": "VP"}},
    {"all": [{"department": "marketing"}, {"country": ["US", "CA"]}]},
    {"title": {"matches": "(Head|Chief|CFO)"}},
    {"created_at": {"within": "30 days"}},
    {"created_at": {"older_than": "2 years"}},
    {"seniority": {"known": False}},
    {"all": [{"country": "DE"}, {"not": {"lifecycle_stage": "customer"}}]},
    {"birth_date": {"before": "1980-01-01"}},
    {"account.industry": ["fintech", "banking"]},
    {"all": [{"account.employee_count": {"at_least": 1000}}, {"seniority": ["vp", "c_suite"]}]},
    {"account.annual_revenue": {"between": [1000000, 20000000]}},
    {"all": [{"account.type": "customer"}, {"department": "data"}]},
]
EVENTS: list[Any] = [
    _event("page_view", 7),
    _event("page_view", 30, **_count(3), where={"path": {"starts_with": "/pricing"}}),
    _event("page_view", 90, **_count(10)),
    _event("login", 7, **_count(2)),
    _event("login", 30, distinct={"of": "day", "at_least": 2}),
    {"all": [_event("login", 90), {"not": _event("login", 30)}]},
    _event("feature_used", 60, sum={"of": "value", "at_least": 60}),
    _event("email_click", 90, **_count(2)),
    {"all": [_event("email_open", 60, **_count(2)), {"not": _event("email_click", 60)}]},
    _event("cart_updated", 14),
    _event("video_view", 180, **_count(4)),
    _event("demo_requested", 365),
    {"any": [_event("form_submitted", 30), _event("meeting", 90)]},
    _event("search", 30, **_count(2)),
    {"event": {"count": {"at_least": 6}, "within": "30 days"}},
    {"event": {"count": 0, "within": "90 days"}},
    _event("download", 365, average={"of": "value", "at_least": 25}),
]
FACTS: list[Any] = [
    {"order": {"count": {"at_least": 2}, "within": "365 days"}},
    {"order": {"sum": {"of": "total", "at_least": 500}, "within": "365 days"}},
    {"order": {"last": {"of": "at", "older_than": "180 days"}}},
    {"order": {"where": {"status": "refunded"}, "within": "90 days"}},
    {"deal": {"where": {"is_won": True}, "within": "2 years"}},
    {"deal": {"where": {"is_closed": False}, "max": {"of": "amount", "at_least": 50000}}},
    {"uses": {"technology": ["salesforce", "snowflake"]}},
    {"all": [{"uses": {"technology": "hubspot"}}, {"not": {"uses": {"technology": "marketo"}}}]},
    {"intent": {"topic": "payment processing", "score": {"at_least": 60}, "within": "14 days"}},
    {"intent": {"topic": "data warehouse", "within": "30 days"}},
]
LATER: list[Any] = [
    {"ticket": {"where": {"status": "open"}, "within": "30 days"}},
    {"subscription": {"where": {"renews_at": {"next": "60 days"}}}},
    {"survey": {"where": {"score": {"at_most": 6}}, "within": "90 days"}},
    {"sequence": {"first": {"event": {"name": "cart_updated", "within": "30 days"}},
                  "then_not": {"order": {}}, "within": "3 days"}},
    {"trend": {"of": "event", "name": "login", "window": "30 days", "change": {"at_most": "-50%"}}},
    {"intent": {"topic": "analytics", "strength": {"at_least": 50}, "half_life": "14 days"}},
    {"dropped": {"technology": "marketo"}},
    {"near": {"latitude": 52.52, "longitude": 13.40, "within": "50 km"}},
    {"rank": {"by": "account.annual_revenue", "top": "10%"}},
    {"occasion": {"yearly": "contact.birth_date", "next": "14 days"}},
]  # fmt: skip
"""One of each younger kind."""
STEADY: list[Any] = [
    {"all": [{"department": "sales"}, _event("meeting", 365)]},
    {"all": [{"department": "finance"}, {"order": {"within": "30 days"}}]},
    {"all": [{"country": "FR"}, _event("login", 30)]},
    {"all": [{"account.country": "GB"}, _event("page_view", 30)]},
    {"all": [{"lifecycle_stage": "sql"}, {"deal": {"where": {"is_closed": False}}}]},
    {"all": [{"lifecycle_stage": "customer"}, {"event": {"count": 0, "within": "90 days"}}]},
    {"any": [{"title": {"contains": "Engineer"}}, _event("feature_used", 60)]},
    {"not": {"uses": {"category": "crm"}}},
    {"all": [{"intent": {"score": {"at_least": 80}, "within": "30 days"}}, {"seniority": "vp"}]},
    {"all": [{"birth_date": {"known": True}}, _event("cart_updated", 14)]},
]
"""Stand in where the younger kinds are not wanted."""
ACCOUNTS: list[Any] = [
    {"all": [{"industry": "software"}, {"employee_count": {"at_least": 500}}]},
    {"all": [{"type": "customer"}, {"deal": {"where": {"is_closed": False}}}]},
    {"all": [{"uses": {"category": "crm"}}, {"uses": {"technology": "zendesk"}}]},
    {"intent": {"topic": "cloud security", "score": {"at_least": 70}, "within": "30 days"}},
    {"event": {"name": "demo_requested", "within": "90 days"}},
]
COMBOS: list[Any] = [
    {"all": [{"segment": "r000"}, {"segment": "r014"}]},
    {"all": [{"segment": "r010"}, {"not": {"segment": "r015"}}]},
    {"any": [{"segment": "r023"}, {"segment": "r030"}]},
    {"all": [{"segment": "a000"}, {"segment": "r001"}]},
    {"all": [{"segment": "a003"}, {"not": {"segment": "r028"}}]},
]


def read(name: str, when: Any, of: str = "contact") -> Segment:
    """One segment; its faults end the run."""
    values = {"segment": name, "label": name, "model": "intent", "of": of, "when": when}
    desk = Desk(f"{name}.yaml", "USD")
    found = read_segment(desk, yaml.safe_dump(values, sort_keys=False).encode())
    if found is None:
        raise SystemExit(f"{name}: {[str(one) for one in desk.faults]}")
    return found


def sixty(*, young: bool = True) -> RuleBook:
    """Forty rules on fields, events and facts, ten of the younger kinds, accounts, combinations."""
    people = [*FIELDS, *EVENTS, *FACTS, *(LATER if young else STEADY)]
    made = [read(f"r{n:03d}", one) for n, one in enumerate(people)]
    made += [read(f"a{n:03d}", one, "account") for n, one in enumerate(ACCOUNTS)]
    made += [read(f"c{n:03d}", one) for n, one in enumerate(COMBOS)]
    return RuleBook({one.id: one for one in made}, ZONE)
