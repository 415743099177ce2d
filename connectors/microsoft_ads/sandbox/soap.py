"""The older door to the same calls: SOAP, as Microsoft's own libraries speak it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree as Xml

from starlette.responses import Response

from connectors.microsoft_ads.sandbox import audiences, items
from connectors.microsoft_ads.sandbox.faults import NAMES, ApiFault

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OURS = "https://bingads.microsoft.com/CampaignManagement/v13"
GATE = "https://adapi.microsoft.com"
ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
KIND = "http://www.w3.org/2001/XMLSchema-instance"
OPERATIONS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "AddAudiences": audiences.add,
    "UpdateAudiences": audiences.update,
    "DeleteAudiences": audiences.delete,
    "GetAudiencesByIds": audiences.query,
    "ApplyCustomerListUserData": items.apply,
}
LISTS = {
    "Audiences": ("Audience", OURS),
    "AudienceIds": ("long", ARRAYS),
    "CustomerListItems": ("string", ARRAYS),
    "SupportedCampaignTypes": ("string", ARRAYS),
    "PartialErrors": ("BatchError", OURS),
    "ForwardCompatibilityMap": ("KeyValuePairOfstringstring", OURS),
}
"""Element that holds several, and what each of them is called."""
NUMBERS = ("MembershipDuration",)
for _prefix, _name in (("s", SOAP), ("i", KIND), ("a", ARRAYS)):
    Xml.register_namespace(_prefix, _name)


def read(body: bytes) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Operation, headers in lower case, and the request as the JSON of the newer door.

    Raises ApiFault for what is no envelope of a known operation.
    """
    try:
        root = Xml.fromstring(body)  # noqa: S314 - from this machine, to a fake
    except Xml.ParseError:
        raise ApiFault(100, "The request message is null.") from None
    head, inner = root.find(f"{{{SOAP}}}Header"), root.find(f"{{{SOAP}}}Body")
    if inner is None or len(inner) != 1 or not _local(inner[0]).endswith("Request"):
        raise ApiFault(100, "The request message is null.")
    operation = _local(inner[0]).removesuffix("Request")
    if operation not in OPERATIONS:
        raise ApiFault(100, "The operation is not supported.")
    said = {_local(one).lower(): one.text or "" for one in (head if head is not None else [])}
    found = _value(inner[0])
    return operation, said, found if isinstance(found, dict) else {}


def answer(operation: str, document: Mapping[str, Any], tracking: str) -> Response:
    """The envelope of a reply."""
    root, inner = _envelope(tracking)
    _write(Xml.SubElement(inner, f"{{{OURS}}}{operation}Response"), document)
    return Response(Xml.tostring(root), 200, media_type="text/xml")


def fault(error: ApiFault, tracking: str) -> Response:
    """The envelope of a fault; SOAP answers every one with 500."""
    root, inner = _envelope(tracking)
    found = Xml.SubElement(inner, f"{{{SOAP}}}Fault")
    Xml.SubElement(found, "faultcode").text = "s:Server"
    Xml.SubElement(found, "faultstring").text = "Invalid client data. Check the SOAP fault details."
    space = OURS if error.operation else GATE
    kind, several, single = (
        ("ApiFaultDetail", "OperationErrors", "OperationError")
        if error.operation
        else ("AdApiFaultDetail", "Errors", "AdApiError")
    )
    detail = Xml.SubElement(Xml.SubElement(found, "detail"), f"{{{space}}}{kind}")
    Xml.SubElement(detail, f"{{{GATE}}}TrackingId").text = tracking
    one = Xml.SubElement(Xml.SubElement(detail, f"{{{space}}}{several}"), f"{{{space}}}{single}")
    said = {
        "Code": str(error.code),
        "ErrorCode": NAMES.get(error.code, "Unknown"),
        "Message": error.message,
    }
    for name, value in said.items():
        Xml.SubElement(one, f"{{{space}}}{name}").text = value
    return Response(Xml.tostring(root), 500, media_type="text/xml")


def _envelope(tracking: str) -> tuple[Xml.Element, Xml.Element]:
    root = Xml.Element(f"{{{SOAP}}}Envelope")
    head = Xml.SubElement(root, f"{{{SOAP}}}Header")
    Xml.SubElement(head, f"{{{OURS}}}TrackingId").text = tracking
    return root, Xml.SubElement(root, f"{{{SOAP}}}Body")


def _value(element: Xml.Element) -> Any:
    """Lists by the names of what holds them, objects by their children, all else as text."""
    name = _local(element)
    if element.get(f"{{{KIND}}}nil") == "true":
        return None
    if name in LISTS:
        return [_value(one) for one in element]
    if len(element):
        found = {_local(one): _value(one) for one in element}
        kind = element.get(f"{{{KIND}}}type")
        return {**found, **({"Type": kind.rpartition(":")[2]} if kind else {})}
    text = element.text
    if text in ("true", "false"):
        return text == "true"
    return int(text) if name in NUMBERS and text and text.isdecimal() else text


def _write(parent: Xml.Element, document: Mapping[str, Any]) -> None:
    for name, value in document.items():
        element = Xml.SubElement(parent, f"{{{OURS}}}{name}")
        if value is None:
            element.set(f"{{{KIND}}}nil", "true")
        elif isinstance(value, list):
            single, space = LISTS[name]
            for one in value:
                inner = Xml.SubElement(element, f"{{{space}}}{single}")
                _one(inner, one)
        else:
            element.text = str(value)


def _one(element: Xml.Element, value: Any) -> None:
    if value is None:
        element.set(f"{{{KIND}}}nil", "true")
    elif isinstance(value, Mapping):
        if value.get("Type") == "CustomerList":
            element.set("xmlns:t", OURS)
            element.set(f"{{{KIND}}}type", "t:CustomerList")
        _write(element, value)
    else:
        element.text = str(value)


def _local(element: Xml.Element) -> str:
    return element.tag.rpartition("}")[2]
