"""The two properties that the hub owns: made once, their options kept complete.

Bodies are built with the models of the official client, which refuse what HubSpot would; they
travel by the hub's own HTTP client, for that of the library has no timeouts, no retry of POST and
no dated paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audiencehub.errors import Stop
from audiencehub.http import Reply
from audiencehub.model import TagOption
from connectors.hubspot.api import Api, impossible

LONGEST_LABEL = 200
ABOUT = "Segments of audiencehub, which alone writes this property."


def ensure_properties(
    api: Api, kind: str, group: str, options: Sequence[TagOption], *, tags: str, reason: str
) -> None:
    """Group, tag property with all options, and reason property exist. Raises Stop."""
    known = _property(api, kind, tags)
    if known is None:
        _ensure_group(api, kind, group)
        _create(api, kind, _tag_property(group, tags, options))
    else:
        _check_type(known, "enumeration", "checkbox")
        _add_options(api, kind, known, options)
    beside = _property(api, kind, reason)
    if beside is None:
        _ensure_group(api, kind, group)
        _create(api, kind, _reason_property(group, reason))
    else:
        _check_type(beside, "string", "textarea")


def _tag_property(group: str, name: str, options: Sequence[TagOption]) -> Any:
    from hubspot.crm.properties import PropertyCreate

    return PropertyCreate(
        name=name,
        label="Segments",
        group_name=group,
        type="enumeration",
        field_type="checkbox",
        description=ABOUT,
        options=_options([], options),
        form_field=False,
    )


def _reason_property(group: str, name: str) -> Any:
    from hubspot.crm.properties import PropertyCreate

    return PropertyCreate(
        name=name,
        label="Segments: why",
        group_name=group,
        type="string",
        field_type="textarea",
        description="Why audiencehub gave each segment, since when, by which version of the rule.",
        form_field=False,
    )


def _options(known: Sequence[dict[str, Any]], wanted: Sequence[TagOption]) -> list[Any]:
    """All options there are to be, in order: the known ones as they stand, then the new ones.

    Labels must differ (HubSpot refuses equal ones), so a taken label gets its value behind it.
    """
    from hubspot.crm.properties import OptionInput

    rows = [(str(one["value"]), str(one["label"]), bool(one.get("hidden"))) for one in known]
    values, labels = {row[0] for row in rows}, {row[1].casefold() for row in rows}
    for option in wanted:
        if option.value in values:
            continue
        label = (option.label or option.value)[:LONGEST_LABEL]
        if label.casefold() in labels:
            label = f"{label} ({option.value})"
        rows.append((option.value, label, False))
        values.add(option.value)
        labels.add(label.casefold())
    return [
        OptionInput(value=value, label=label, hidden=hidden, display_order=place)
        for place, (value, label, hidden) in enumerate(rows)
    ]


def _add_options(api: Api, kind: str, known: dict[str, Any], wanted: Sequence[TagOption]) -> None:
    from hubspot.crm.properties import PropertyUpdate

    there = known.get("options")
    if not isinstance(there, list):
        raise impossible(f"property {known.get('name')}", "has no list of options")
    if {one.value for one in wanted} <= {str(one["value"]) for one in there}:
        return
    body = _plain(PropertyUpdate(options=_options(there, wanted)))
    _made(api.patch("properties", f"{kind}/{known['name']}", body, accept=_ANSWERS))


def _create(api: Api, kind: str, model: Any) -> None:
    # 409: another run has just made it; the next look at it will judge it.
    _made(api.post("properties", kind, _plain(model), accept=_ANSWERS | {409}))


def _ensure_group(api: Api, kind: str, group: str) -> None:
    from hubspot.crm.properties import PropertyGroupCreate

    if api.get("properties", f"{kind}/groups/{group}", accept={200, 404}).status == 404:
        body = _plain(PropertyGroupCreate(name=group, label="Audiencehub", display_order=-1))
        _made(api.post("properties", f"{kind}/groups", body, accept=_ANSWERS | {409}))


_ANSWERS = frozenset({200, 201, 400, 403})


def _property(api: Api, kind: str, name: str) -> dict[str, Any] | None:
    reply = api.get("properties", f"{kind}/{name}", accept={200, 404})
    if reply.status == 404:
        return None
    body = reply.json()
    if not isinstance(body, dict) or body.get("name") != name:
        raise impossible(f"property {name}", "describes another one")
    return body


def _check_type(known: dict[str, Any], type_: str, field_type: str) -> None:
    if (known.get("type"), known.get("fieldType")) == (type_, field_type):
        return
    raise Stop(
        f"HubSpot's property {known.get('name')} is {known.get('type')}/{known.get('fieldType')}, "
        f"not {type_}/{field_type}.",
        hint=f"Delete or rename {known.get('name')} in HubSpot; the hub then makes its own",
    )


def _made(reply: Reply) -> None:
    if reply.status == 403:
        raise Stop(
            "HubSpot does not let this key make properties.",
            hint="Grant crm.schemas.contacts.write and crm.schemas.companies.write, or ask an "
            "admin to make the properties",
        )
    if reply.status == 400:
        raise Stop(
            f"HubSpot refused {reply.what} ({reply.code}).",
            hint="Check that segment ids and labels are unique and hold no semicolon",
        )


def _plain(model: Any) -> Any:
    """The model as JSON-ready values under HubSpot's own names."""
    from hubspot.crm.properties import ApiClient

    return ApiClient().sanitize_for_serialization(model)
