"""What makes a request wrong as a whole: one bad field anywhere, and nothing of it is done."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from connectors.google_ads.sandbox.replies import Violation

MOST_MEMBERS = 10_000
MOST_IDENTIFIERS = 10
MOST_DESTINATIONS = 10
HEX, BASE64 = 1, 2
KEYS = {"user_data": 1, "composite_data": 1, "mobile_data": 2, "user_id_data": 3}
"""Kind of data to the upload key type of a list that takes it."""
TERMS = ("user_data", "composite_data", "mobile_data")
ADDRESS = ("given_name", "family_name", "region_code", "postal_code")
MISSING = "Required field is missing."


def members(request: Any, *, ingests: bool) -> Iterator[Violation]:
    """Everything that is wrong with the rows and what belongs to them."""
    rows = request.audience_members
    if not rows:
        yield Violation("audience_members", "REQUIRED_FIELD_MISSING", MISSING)
    if len(rows) > MOST_MEMBERS:
        yield Violation("audience_members", "TOO_MANY_AUDIENCE_MEMBERS")
        return
    kinds = {row.WhichOneof("data") for row in rows}
    if len(kinds - {None}) > 1:
        yield Violation("audience_members", "MULTIPLE_DATA_TYPES_NOT_ALLOWED")
    hashed = kinds & {"user_data", "composite_data"}
    if hashed and request.encoding not in (HEX, BASE64):
        yield Violation("encoding", "REQUIRED_FIELD_MISSING", MISSING)
    terms = getattr(request, "terms_of_service", None)
    signed = terms is not None and terms.customer_match_terms_of_service_status == 1
    if ingests and kinds & set(TERMS) and not signed:
        yield Violation(
            "terms_of_service.customer_match_terms_of_service_status",
            "TERMS_AND_CONDITIONS_NOT_SIGNED",
        )
    references = {one.reference for one in request.destinations}
    for number, row in enumerate(rows):
        place = f"audience_members[{number}]"
        for reference in row.destination_references:
            if reference not in references:
                yield Violation(f"{place}.destination_references", "INVALID_DESTINATION")
        yield from _row(row, place, request.encoding)


def _row(row: Any, place: str, encoding: int) -> Iterator[Violation]:
    kind = row.WhichOneof("data")
    if kind is None:
        yield Violation(place, "REQUIRED_FIELD_MISSING", MISSING)
    elif kind == "user_data":
        yield from _identifiers(row.user_data, f"{place}.user_data", encoding)
    elif kind == "composite_data":
        there = f"{place}.composite_data"
        if row.composite_data.HasField("user_data"):
            yield from _identifiers(row.composite_data.user_data, f"{there}.user_data", encoding)
        elif not row.composite_data.ip_data:
            yield Violation(there, "REQUIRED_FIELD_MISSING", MISSING)
    elif kind == "mobile_data":
        ids = row.mobile_data.mobile_ids
        if not ids:
            yield Violation(f"{place}.mobile_data.mobile_ids", "REQUIRED_FIELD_MISSING", MISSING)
        if len(ids) > MOST_IDENTIFIERS:
            yield Violation(f"{place}.mobile_data.mobile_ids", "TOO_MANY_USER_IDENTIFIERS")
    elif kind == "user_id_data" and not row.user_id_data.user_id:
        yield Violation(f"{place}.user_id_data.user_id", "REQUIRED_FIELD_MISSING", MISSING)


def _identifiers(data: Any, place: str, encoding: int) -> Iterator[Violation]:
    found = data.user_identifiers
    if not found:
        yield Violation(f"{place}.user_identifiers", "REQUIRED_FIELD_MISSING", MISSING)
    if len(found) > MOST_IDENTIFIERS:
        yield Violation(f"{place}.user_identifiers", "TOO_MANY_USER_IDENTIFIERS")
    for number, one in enumerate(found):
        there = f"{place}.user_identifiers[{number}]"
        kind = one.WhichOneof("identifier")
        if kind is None:
            yield Violation(there, "REQUIRED_FIELD_MISSING", MISSING)
        elif kind == "address":
            yield from _address(one.address, f"{there}.address", encoding)
        else:
            yield from _hash(getattr(one, kind), f"{there}.{kind}", encoding)


def _address(address: Any, place: str, encoding: int) -> Iterator[Violation]:
    for name in ADDRESS:
        if not getattr(address, name):
            yield Violation(f"{place}.{name}", "REQUIRED_FIELD_MISSING", MISSING)
    for name in ("given_name", "family_name"):
        if getattr(address, name):
            yield from _hash(getattr(address, name), f"{place}.{name}", encoding)
    if address.region_code and not re.fullmatch(r"[A-Z]{2}", address.region_code):
        yield Violation(f"{place}.region_code", "INVALID_REGION_CODE")
    if address.postal_code and not re.fullmatch(r"[\w][\w -]{1,14}", address.postal_code):
        yield Violation(f"{place}.postal_code", "INVALID_POSTAL_CODE")


def _hash(value: str, place: str, encoding: int) -> Iterator[Violation]:
    try:
        raw = (
            base64.b64decode(value, validate=True)
            if encoding == BASE64
            else binascii.unhexlify(value)
        )
    except (ValueError, binascii.Error):
        wrong = "INVALID_BASE64_ENCODING" if encoding == BASE64 else "INVALID_HEX_ENCODING"
        yield Violation(place, wrong)
        return
    if len(raw) != 32:
        yield Violation(place, "INVALID_SHA256_FORMAT")


def warnings(request: Any) -> Iterator[tuple[str, str]]:
    """Optional fields that are wrong: path and description. They cost the field, not the row."""
    for number, row in enumerate(request.audience_members):
        for place, one in enumerate(row.composite_data.ip_data):
            try:
                ipaddress.ip_address(one.ip_address)
            except ValueError:
                there = f"audience_members[{number}].composite_data.ip_data[{place}].ip_address"
                yield there, "The IP address is not valid."


def destinations(request: Any) -> Iterator[Violation]:
    """Everything that is wrong with where a request goes, but for what the lists say."""
    found = request.destinations
    if not found:
        yield Violation("destinations", "REQUIRED_FIELD_MISSING", MISSING)
    if len(found) > MOST_DESTINATIONS:
        yield Violation("destinations", "TOO_MANY_DESTINATIONS")
    named = [one.reference for one in found if one.reference]
    if len(set(named)) < len(named):
        yield Violation("destinations", "DUPLICATE_DESTINATION_REFERENCE")
    for number, one in enumerate(found):
        place = f"destinations[{number}]"
        if not one.operating_account.account_id.isdecimal():
            yield Violation(f"{place}.operating_account", "INVALID_DESTINATION")
        if 1 not in (one.operating_account.account_type, one.operating_account.product):
            yield Violation(f"{place}.operating_account.account_type", "INVALID_DESTINATION")
        if not one.product_destination_id:
            yield Violation(f"{place}.product_destination_id", "REQUIRED_FIELD_MISSING", MISSING)
