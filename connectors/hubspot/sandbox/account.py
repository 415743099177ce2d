"""The account itself: usage, details, owners, tokens, subscription statuses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.hubspot.sandbox.call import Answer, Call
from connectors.hubspot.sandbox.replies import Refusal, error
from connectors.hubspot.sandbox.state import Records, iso

DAILY = 625_000
MARKETING = 1001
"""The account's one subscription type, "Marketing Information"."""


def midnight(records: Records) -> datetime:
    """When the daily allowance begins anew: the next midnight of the account's time zone."""
    zone = ZoneInfo(records.options.get("timezone", "US/Eastern"))
    local = records.clock.now().astimezone(zone)
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def usage(call: Call) -> Answer:
    """Calls of private apps today."""
    limit = int(call.records.options.get("daily_limit") or DAILY)
    return 200, {
        "results": [
            {
                "name": "private-apps-api-calls-daily",
                "usageLimit": limit,
                "currentUsage": used(call.records),
                "collectedAt": iso(call.records.clock.now()),
                "fetchStatus": "SUCCESS",
                "resetsAt": f"{midnight(call.records):%Y-%m-%dT%H:%M:%S%z}",
            }
        ]
    }


def used(records: Records) -> int:
    """Calls counted today."""
    return int(records.store.table("usage").get(str(records.clock.day), {"n": 0})["n"])


def details(call: Call) -> Answer:
    """Portal id and time zone."""
    zone = call.records.options.get("timezone", "US/Eastern")
    local = midnight(call.records)
    return 200, {
        "portalId": 1234567,
        "accountType": "DEVELOPER_TEST",
        "timeZone": zone,
        "companyCurrency": "USD",
        "additionalCurrencies": [],
        "uiDomain": "app.hubspot.com",
        "utcOffset": f"{local:%z}"[:3] + ":00",
        "utcOffsetMilliseconds": int((local.utcoffset() or timedelta()).total_seconds() * 1000),
        "dataHostingLocation": "na1",
    }


def owners(call: Call) -> Answer:
    """One owner."""
    now = iso(call.records.clock.now())
    return 200, {
        "results": [
            {
                "id": "77001",
                "email": "rae@acme.example",
                "firstName": "Rae",
                "lastName": "Ortiz",
                "type": "PERSON",
                "userId": 9001,
                "archived": False,
                "createdAt": now,
                "updatedAt": now,
            }
        ]
    }


def token(call: Call) -> Answer:
    """A new access token for a refresh token that begins with `sandbox-`."""
    form = call.body
    if form.get("grant_type") not in ("refresh_token", "client_credentials"):
        raise Refusal(400, _oauth_error("unsupported_grant_type"))
    renewal = form["grant_type"] == "refresh_token"
    if renewal and not form.get("refresh_token", "").startswith("sandbox-"):
        raise Refusal(400, _oauth_error("BAD_REFRESH_TOKEN"))
    table = call.records.store.table("token")
    issued = f"issued-{len(table) + 1:06d}"
    table[issued] = {"client": form.get("client_id", "")}
    return 200, {
        "access_token": issued,
        "refresh_token": form.get("refresh_token", ""),
        "expires_in": 1800,
        "token_type": "bearer",
        "token_use": "access_token",
        "hub_id": 1234567,
        "scopes": [],
    }


def statuses(call: Call) -> Answer:
    """Subscription statuses of e-mail addresses; an address nobody asked says NOT_SPECIFIED."""
    if call.query.get("channel") != "EMAIL":
        raise error(400, "VALIDATION_ERROR", "channel is required")
    table = call.records.store.table("subscription")
    results = []
    for email in call.body.get("inputs") or []:
        known = table.get(email.casefold(), {})
        results.append({"subscriberIdString": email, "statuses": [_status(call, email, known)]})
    now = iso(call.records.clock.now())
    return 200, {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}


def _status(call: Call, email: str, known: dict[str, Any]) -> dict[str, Any]:
    return {
        "channel": "EMAIL",
        "subscriberIdString": email,
        "subscriptionId": MARKETING,
        "subscriptionName": "Marketing Information",
        "status": known.get("status", "NOT_SPECIFIED"),
        "source": known.get("source", "NO_STATUS"),
        "legalBasis": "CONSENT_WITH_NOTICE" if known.get("status") == "SUBSCRIBED" else None,
        "timestamp": known.get("at", iso(call.records.clock.now())),
    }


def _oauth_error(status: str) -> dict[str, Any]:
    message = "missing or invalid refresh token"
    return {"status": status, "message": message, "correlationId": "oauth"}
