"""Refusals in HubSpot's own bodies."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

Json = dict[str, Any]


class Refusal(Exception):
    """An error reply: status, body, and headers that belong to it."""

    def __init__(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        super().__init__(body.get("message", ""))
        self.status, self.body, self.headers = status, body, headers or {}


def correlation(seed: object) -> str:
    """A correlation id that is the same in every run."""
    return str(uuid5(NAMESPACE_URL, f"hubspot.example/{seed}"))


def error(status: int, category: str | None, message: str, **more: Any) -> Refusal:
    """A plain refusal; `category` None as for an unknown object type."""
    body: Json = {"status": "error", "message": message, "correlationId": correlation(message)}
    if category:
        body["category"] = category
    return Refusal(status, {**body, **more})


def unauthorized() -> Refusal:
    """No credentials, or credentials that nobody issued."""
    return error(
        401, "INVALID_AUTHENTICATION", "Authentication credentials not found or no longer valid."
    )


def missing_scope(scope: str) -> Refusal:
    """The key is good and may not do this."""
    return error(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call.",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": [scope]},
            }
        ],
        context={"requiredGranularScopes": [scope]},
    )


def too_many(policy: str, headers: dict[str, str]) -> Refusal:
    """429 in the shape of the rate limiter: no `category`, but `policyName`."""
    word = "daily" if policy == "DAILY" else "ten_secondly_rolling"
    return Refusal(
        429,
        {
            "status": "error",
            "message": f"You have reached your {word} limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": correlation(policy),
            "policyName": policy,
            "requestId": correlation(f"request/{policy}"),
        },
        headers,
    )


def invalid(problems: Iterable[tuple[str, str, str]]) -> Refusal:
    """Whole request refused for property values: (code, property, message) each."""
    listed = list(problems)
    told = [
        {"isValid": False, "message": text, "error": code, "name": name}
        for code, name, text in listed
    ]
    return error(
        400,
        "VALIDATION_ERROR",
        f"Property values were not valid: {json.dumps(told)}",
        errors=[
            {"message": text, "code": code, "context": {"propertyName": [name]}}
            for code, name, text in listed
        ],
    )


def not_found(kind: str, ids: list[str]) -> Json:
    """The entry of a 207 that names the ids which do not exist."""
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {kind.upper()} objects, they may be deleted or not exist. "
        "Check that ids are valid.",
        "context": {"ids": ids},
    }
