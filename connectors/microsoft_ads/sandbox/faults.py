"""Faults as the API words them: AdApiFaultDetail, ApiFaultDetail, and errors of single elements."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

NAMES = {
    0: "InternalError",
    100: "NullRequest",
    105: "InvalidCredentials",
    106: "UserIsNotAuthorized",
    109: "AuthenticationTokenExpired",
    117: "CallRateExceeded",
    4500: "CampaignServiceInvalidAudienceId",
    4848: "CampaignServiceDuplicateAudienceName",
    8000: "InvalidCustomerListId",
    8001: "InvalidCustomerListActionType",
    8002: "InvalidCustomerListItemSubType",
    8003: "CustomerListTermsAndConditionsNotAccepted",
    8004: "EmailMustBeHashed",
    8005: "InvalidCRMIdLength",
}


class ApiFault(Exception):
    """A call that is refused whole."""

    def __init__(
        self, code: int, message: str, status: int = 400, *, operation: bool = True
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.operation = code, message, status, operation

    def response(self, tracking: str) -> Response:
        """ApiFaultDetail for what a service refuses, AdApiFaultDetail for what the gate does."""
        error = {
            "Code": self.code,
            "Details": None,
            "ErrorCode": NAMES.get(self.code, "Unknown"),
            "Message": self.message,
        }
        kind = "ApiFaultDetail" if self.operation else "AdApiFaultDetail"
        body: dict[str, Any] = {"TrackingId": tracking, "Type": kind}
        body |= {"OperationErrors": [error], "BatchErrors": []} if self.operation else {}
        body |= {} if self.operation else {"Errors": [error]}
        return JSONResponse(body, self.status, headers={"TrackingId": tracking})


def element(code: int, index: int, message: str) -> dict[str, Any]:
    """One entry of `PartialErrors`."""
    return {
        "Code": code,
        "Details": None,
        "ErrorCode": NAMES.get(code, "Unknown"),
        "FieldPath": None,
        "ForwardCompatibilityMap": [],
        "Index": index,
        "Message": message,
        "Type": "BatchError",
    }
