"""The JSON schemas of trait and ladder files, for editors: made from the catalog, never by hand.

They stand in `segment_rules/trait.schema.json` and `segment_rules/ladder.schema.json`; a test fails
when one is stale. Write them anew with `python -m audiencehub.rules.computedschema segment_rules`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from audiencehub.rules.book import MODELS
from audiencehub.rules.language.catalog import CATALOG, DATED, INLINE, LEAF_OF, TABLE_OF, Catalog
from audiencehub.rules.load.checks import WINDOW
from audiencehub.rules.load.ladder import KEYS as LADDER_KEYS
from audiencehub.rules.load.ladder import REQUIRED, RUNG_KEYS
from audiencehub.rules.load.measure import HOWS, LEAVES
from audiencehub.rules.load.trait import ID, KEYS, KINDS
from audiencehub.rules.schema import DAY, SPAN, TEXT, schema

Schema = dict[str, Any]
_OWN = ("measure", "rung", "ladder_example")
_GIVEN: Schema = {"$ref": "schema.json#/$defs/example/properties/given"}
_NUMBER: Schema = {"anyOf": [{"type": "number"}, TEXT]}


def trait_schema(catalog: Catalog = CATALOG) -> Schema:
    """The schema of one file of traits/."""
    words = {name: {**TEXT, "description": about} for name, about in KEYS.items()}
    words["trait"] = {**words["trait"], "pattern": f"^{ID.pattern}$"}
    words["of"] = {"enum": ["contact", "account"], "description": KEYS["of"]}
    example = _object({"name": TEXT, "given": _GIVEN, "value": {}, "at": DAY}, ["given", "value"])
    words["examples"] = {"type": "array", "minItems": 1, "items": example}
    kinds = {name: {**form, "description": KINDS[name]} for name, form in _kinds().items()}
    whole = _object({**words, **kinds}, ["trait", "label", "of"])
    whole["oneOf"] = [{"required": [name]} for name in KINDS]
    return _whole("trait", whole, {"measure": _measure(catalog), **_fields(catalog)})


def ladder_schema(catalog: Catalog = CATALOG) -> Schema:
    """The schema of one file of ladders/."""
    forms: dict[str, Schema] = {
        "model": {"enum": list(MODELS)},
        "of": {"enum": ["contact", "account"]},
        "review_by": DAY,
        "kpis": {"type": "array", "items": TEXT, "minItems": 1},
        "activate": {"type": "array", "items": _ref("activation")},
        "when": _ref("condition"),
        "otherwise": {"const": True},
        "experiment": schema(catalog)["properties"]["experiment"],
        "rungs": {"type": "array", "minItems": 1, "items": _ref("rung")},
        "examples": {"type": "array", "minItems": 1, "items": _ref("ladder_example")},
    }

    def keys(known: Any) -> Schema:
        return {name: {**forms.get(name, TEXT), "description": how} for name, how in known.items()}

    rung = _object(keys(RUNG_KEYS), ["rung"])
    rung["oneOf"] = [{"required": ["when"]}, {"required": ["otherwise"]}]
    on = {"type": ["string", "null"]}
    example = _object({"name": TEXT, "given": _GIVEN, "rung": on, "at": DAY}, ["given", "rung"])
    whole = _object(keys(LADDER_KEYS), list(REQUIRED))
    return _whole("ladder", whole, {"rung": rung, "ladder_example": example})


def text(what: Schema) -> str:
    """A schema as the file's text."""
    return json.dumps(what, indent=1, ensure_ascii=False) + "\n"


def _whole(what: str, body: Schema, more: Schema) -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"audiencehub {what}",
        **body,
        "$defs": more,
    }


def _ref(name: str) -> Schema:
    """A definition of this file's own, or one that rules have too, in the file beside it."""
    own = name in _OWN or name.startswith("of_")
    return {"$ref": f"#/$defs/{name}" if own else f"schema.json#/$defs/{name}"}


def _object(properties: Schema, required: list[str]) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required,
    }


def _kinds() -> Schema:
    term = {"anyOf": [TEXT, _ref("measure")]}
    band = _object({"name": TEXT, "below": _NUMBER}, ["name"])
    part = _object({"when": _ref("condition"), "points": {"type": "integer"}}, ["when", "points"])
    percentile = _object({"of": TEXT, "within": TEXT}, ["of"])
    learnt = {"learns": {"enum": ["conversion", "similarity"]}, "horizon": SPAN, "like": TEXT}
    score = _object({"model": TEXT, "within": SPAN, **learnt}, ["model"])
    return {
        "aggregate": _ref("measure"),
        "ratio": _object({"of": term, "over": term}, ["of", "over"]),
        "band": _object(
            {"of": term, "bands": {"type": "array", "minItems": 1, "items": band}}, ["of", "bands"]
        ),
        "points": {"type": "array", "minItems": 1, "items": part},
        "percentile": {"anyOf": [TEXT, percentile]},
        "rfm": _ref("measure"),
        "model_score": {"anyOf": [TEXT, score]},
    }


def _measure(catalog: Catalog) -> Schema:
    """`{order: {sum: total, within: 365 days}}`: one kind of facts, at most one aggregate."""
    found: Schema = {}
    for leaf in LEAVES:
        table = catalog.tables[TABLE_OF[leaf]]
        kinds = {field.name: field.type for field in table.fields}
        properties: Schema = {name: _ref(f"tests_{kinds[name]}") for name in INLINE[leaf]}
        properties["where"] = _ref(f"where_{LEAF_OF[table.name]}")
        dated = "date" if kinds[DATED[table.name]] == "date" else "instant"
        windows = schema(catalog)["$defs"][f"tests_{dated}"]["anyOf"][-1]["properties"]
        properties.update({name: windows[name] for name in WINDOW})
        properties.update(dict.fromkeys(HOWS, _ref(f"of_{leaf}")))
        found[leaf] = {"anyOf": [{"type": ["null", "string", "array"]}, _object(properties, [])]}
    return {**_object(found, []), "minProperties": 1, "maxProperties": 1}


def _fields(catalog: Catalog) -> Schema:
    """What an aggregate may be of, by kind of facts; `true` where there is nothing to name."""
    found: Schema = {}
    for leaf in LEAVES:
        named = {"enum": [*sorted(catalog.names(TABLE_OF[leaf])), "day"]}
        nothing = {"type": ["boolean", "null"]}
        found[f"of_{leaf}"] = {"anyOf": [named, nothing, _object({"of": named}, [])]}
    return found


def write(folder: Path) -> None:
    """Both files, into the folder of rules."""
    (folder / "trait.schema.json").write_text(text(trait_schema()), "utf-8")
    (folder / "ladder.schema.json").write_text(text(ladder_schema()), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
