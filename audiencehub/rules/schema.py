"""The JSON schema of a rule file, for editors: made from the catalog, never by hand.

`segment_rules/schema.json` is its text; a test fails when it is stale. Write it anew with
`python -m audiencehub.rules.schema > segment_rules/schema.json`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from audiencehub.canonical import Table
from audiencehub.rules.book import MODELS
from audiencehub.rules.language.catalog import (
    CATALOG,
    DATED,
    INLINE,
    INSTALLS,
    LEAF_OF,
    MOVING,
    TABLE_OF,
    Catalog,
    spoken,
)
from audiencehub.rules.load.activation import USES
from audiencehub.rules.load.checks import OPERATORS, WINDOW
from audiencehub.rules.load.occasion import GROUPS, WEEK
from audiencehub.rules.load.past import EVENTS
from audiencehub.rules.load.past import WINDOWS as PAST_WINDOWS
from audiencehub.rules.load.rows import HOWS
from audiencehub.rules.load.segment import ID, KEYS, REQUIRED

Schema = dict[str, Any]
SPAN: Schema = {
    "type": "string",
    "pattern": "^[1-9][0-9]* (minute|hour|day|week|month|year)s?$",
    "description": "A duration in words: 30 days, 6 hours, 1 month",
}
SHARE: Schema = {"type": "string", "pattern": r"^(100|[1-9]?[0-9])(\.[0-9])?%$"}
TEXT: Schema = {"type": "string", "minLength": 1}
DAY: Schema = {"type": "string", "pattern": "^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$"}
_LITERALS: dict[str, Schema] = {
    "text": {"type": "string"},
    "texts": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "decimal": {"type": "number"},
    "money": {
        "anyOf": [
            {"type": "number"},
            {"type": "string", "pattern": r"^[-+]?[0-9]+(\.[0-9]{1,2})? [A-Z]{3}$"},
        ]
    },
    "share": {
        "anyOf": [
            {"type": "number"},
            {"type": "string", "pattern": r"^[-+]?[0-9]+(\.[0-9]{1,4})? ?%$"},
        ]
    },
    "date": DAY,
    "instant": DAY,
    "json": {},
}


def schema(catalog: Catalog = CATALOG) -> Schema:
    """The schema as plain values (JSON Schema 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "audiencehub segment",
        "type": "object",
        "additionalProperties": False,
        "required": list(REQUIRED),
        "properties": _keys(),
        "$defs": {
            **{f"tests_{kind}": _tests(kind) for kind in OPERATORS},
            "condition": _condition(catalog),
            **{f"where_{leaf}": _where(catalog.tables[t]) for t, leaf in LEAF_OF.items()},
            **{leaf: _leaf(leaf, catalog) for leaf in TABLE_OF},
            "sequence": _sequence(),
            "trend": _trend(catalog),
            "contacts": _contacts(),
            "rank": _rank(),
            "occasion": _occasion(),
            "near": _near(),
            "past": _past(),
            "activation": _activation(),
            "example": _example(catalog),
        },
    }


def text(catalog: Catalog = CATALOG) -> str:
    """The schema as the file's text."""
    return json.dumps(schema(catalog), indent=1, ensure_ascii=False) + "\n"


def _keys() -> Schema:
    forms: dict[str, Schema] = {
        "segment": {"type": "string", "pattern": f"^{ID.pattern}$"},
        "model": {"enum": list(MODELS)},
        "of": {"enum": ["contact", "account"]},
        "kpis": {"type": "array", "items": TEXT, "minItems": 1},
        "review_by": DAY,
        "when": _ref("condition"),
        "activate": {"type": "array", "items": _ref("activation")},
        "stay": _object({"at_least": SPAN}, required=["at_least"]),
        "experiment": _object({"name": TEXT, "holdout": SHARE}, required=["holdout"]),
        "examples": {"type": "array", "minItems": 1, "items": _ref("example")},
    }
    return {name: {**forms.get(name, TEXT), "description": about} for name, about in KEYS.items()}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties, **more}


def _tests(kind: str) -> Schema:
    literal = _LITERALS[kind]
    many = {"type": "array", "items": literal, "minItems": 1}
    forms: dict[str, Schema] = {
        "known": {"type": "boolean"},
        "between": {"type": "array", "items": literal, "minItems": 2, "maxItems": 2},
        "within": SPAN,
        "older_than": SPAN,
        "next": SPAN,
    }
    either = {"anyOf": [literal, many]}
    for name in ("any_of", "none_of", "contains", "starts_with", "ends_with"):
        forms[name] = either
    operators = {name: forms.get(name, literal) for name in OPERATORS[kind]}
    choices: list[Schema] = []
    if "is" in OPERATORS[kind]:
        choices.append(literal)
    if "any_of" in OPERATORS[kind]:
        choices.append(many)
    mapping = _object({**operators, "or_unknown": {"const": True}}, minProperties=1)
    return {"anyOf": [*choices, mapping]}


def _condition(catalog: Catalog) -> Schema:
    nested = {"type": "array", "items": _ref("condition"), "minItems": 1}
    properties: Schema = {
        "all": nested,
        "any": nested,
        "not": _ref("condition"),
        "match_all": {"const": True},
        "segment": TEXT,
        "sequence": _ref("sequence"),
        "trend": _ref("trend"),
        "contacts": _ref("contacts"),
        "rank": _ref("rank"),
        "occasion": _ref("occasion"),
        "near": _ref("near"),
        **{event: _ref("past") for event in EVENTS},
        **{leaf: _ref(leaf) for leaf in TABLE_OF},
    }
    for scope in ("account", "contact"):
        for field in catalog.tables[scope].fields:
            form = {**_ref(f"tests_{field.type}"), "description": field.about}
            properties.setdefault(spoken(field.name), form)
            properties[f"{scope}.{spoken(field.name)}"] = form
    own: Schema = {r"^((contact|account)\.)?custom\.[a-z][a-z0-9_]*$": {}}
    own[r"^trait\.[a-z][a-z0-9_]*(\.[a-z]+)?$"] = {}
    return _object(properties, patternProperties=own, minProperties=1, maxProperties=1)


def _where(table: Table) -> Schema:
    name = f"where_{LEAF_OF[table.name]}"
    nested = {"type": "array", "items": _ref(name), "minItems": 1}
    properties: Schema = {"all": nested, "any": nested, "not": _ref(name)}
    for field in table.fields:
        properties[field.name] = {**_ref(f"tests_{field.type}"), "description": field.about}
    return _object(properties, minProperties=1)


def _leaf(leaf: str, catalog: Catalog) -> Schema:
    table = catalog.tables[TABLE_OF[leaf]]
    kinds = {field.name: field.type for field in table.fields}
    properties: Schema = {name: _ref(f"tests_{kinds[name]}") for name in INLINE[leaf]}
    properties["where"] = _ref(f"where_{LEAF_OF[table.name]}")
    if leaf in INSTALLS:
        properties["since"] = _ref("tests_instant")
    else:
        dated = kinds[DATED[table.name]]
        window = _tests(dated)["anyOf"][-1]["properties"]
        ahead = () if leaf == "deal" else ("next",)
        properties.update({name: window[name] for name in WINDOW if name not in ahead})
    if leaf not in (*INSTALLS, "intent"):
        properties["count"] = _ref("tests_integer")
        properties.update({how: _aggregate() for how in HOWS if how != "count"})
    if leaf == "intent":
        properties.update({"strength": _ref("tests_decimal"), "half_life": SPAN})
    mapping = _object(properties)
    if not INLINE[leaf]:
        return mapping
    first = kinds[INLINE[leaf][0]]
    return {"anyOf": [*_tests(first)["anyOf"][:-1], mapping]}


def _aggregate() -> Schema:
    return {"type": "object", "properties": {"of": TEXT}, "minProperties": 1}


def _sequence() -> Schema:
    step = _object({leaf: _ref(leaf) for leaf in MOVING}, minProperties=1, maxProperties=1)
    steps = {"anyOf": [step, {"type": "array", "items": step, "minItems": 1}]}
    body = {"first": step, "then": steps, "then_not": step, "within": SPAN}
    either = [{"required": ["then"]}, {"required": ["then_not"]}]
    return _object(body, required=["first"], oneOf=either)


def _trend(catalog: Catalog) -> Schema:
    properties: Schema = {"of": {"enum": list(MOVING)}, "window": SPAN}
    properties["change"] = _ref("tests_share")
    for leaf in MOVING:
        kinds = {field.name: field.type for field in catalog.tables[TABLE_OF[leaf]].fields}
        properties.update({name: _ref(f"tests_{kinds[name]}") for name in INLINE[leaf]})
    properties["where"] = {"type": "object", "minProperties": 1}
    properties.update({how: _object({"of": TEXT}) for how in ("sum", "distinct", "average")})
    return _object(properties, required=["of", "window", "change"])


def _contacts() -> Schema:
    least = _object({"at_least": {"type": "integer", "minimum": 1}}, required=["at_least"])
    match = {"anyOf": [{"enum": ["any", "all", "none"]}, least]}
    return _object({"match": match, "where": _ref("condition")}, required=["where"])


def _rank() -> Schema:
    size = {"anyOf": [SHARE, {"type": "integer", "minimum": 1}]}
    body = _object({"by": TEXT, "top": size, "bottom": size, "within": TEXT}, required=["by"])
    return {**body, "oneOf": [{"required": ["top"]}, {"required": ["bottom"]}]}


def _occasion() -> Schema:
    time = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"}
    day = {"enum": [*WEEK, *GROUPS]}
    days = {"anyOf": [day, {"type": "array", "items": day, "minItems": 1}]}
    local = _object({"days": days, "from": time, "until": time}, minProperties=1)
    names = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}
    when = {"next": SPAN, "within": SPAN, "on": {"const": "today"}}
    country = {"type": "string", "pattern": "^[A-Z]{2}$"}
    return {
        "anyOf": [
            _object({"holiday": names, "country": country, **when}, required=["holiday"]),
            _object({"yearly": TEXT, **when}, required=["yearly"]),
            _object({"local_time": local}, required=["local_time"]),
        ]
    }


def _near() -> Schema:
    degrees = {"type": "number", "minimum": -180, "maximum": 180}
    body = {
        "latitude": degrees,
        "longitude": degrees,
        "within": {"type": "string", "pattern": r"^[0-9]{1,5}(\.[0-9]{1,3})? (km|mi)$"},
        "of": {"enum": ["contact", "account"]},
    }
    return _object(body, required=["latitude", "longitude", "within"])


def _past() -> Schema:
    instant = _tests("instant")["anyOf"][-1]["properties"]
    body = {"segment": TEXT, **{name: instant[name] for name in PAST_WINDOWS}}
    return {"anyOf": [TEXT, _object(body, required=["segment"], maxProperties=2)]}


def _activation() -> Schema:
    removals = {"anyOf": [SHARE, {"type": "integer", "minimum": 0}]}
    return _object(
        {
            "to": TEXT,
            "as": {"enum": ["tag", "list"]},
            "name": TEXT,
            "max_removals": removals,
            "exclude": {"type": "array", "items": TEXT, "minItems": 1},
            "most": {"type": "integer", "minimum": 1},
            "use": {"enum": list(USES)},
        },
        required=["to", "as"],
    )


def _example(catalog: Catalog) -> Schema:
    def record(table: str) -> Schema:
        own: Schema = {r"^custom\.[a-z][a-z0-9_]*$": {}}
        return _object({name: {} for name in catalog.names(table)}, patternProperties=own)

    rows = {leaf: {"type": ["array", "string", "object"]} for leaf in TABLE_OF}
    whole = {"type": "integer", "minimum": 1}
    place = _object(
        {
            "by": TEXT,
            "place": whole,
            "of": whole,
            "from": {"enum": ["top", "bottom"]},
            "within": TEXT,
        },
        required=["by", "place"],
    )
    given = _object(
        {
            "contact": record("contact"),
            "account": record("account"),
            **rows,
            "segments": {"type": "array", "items": TEXT},
            "traits": {"type": "object"},
            "thresholds": {"type": "object"},
            "rank": {"anyOf": [place, {"type": "array", "items": place, "minItems": 1}]},
            "past": {"type": "object", "additionalProperties": {"type": ["array", "object"]}},
            "contacts": {"type": "array", "items": _ref("example/properties/given")},
        }
    )
    return _object(
        {
            "name": TEXT,
            "given": given,
            "member": {"type": "boolean"},
            "near_miss": {"const": True},
            "at": DAY,
        },
        required=["given", "member"],
    )


if __name__ == "__main__":
    sys.stdout.write(text())
