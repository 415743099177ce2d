"""The account's records: kept as the wire shows them, stamped by the sandbox clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.store import Store, Table
from connectors.hubspot.sandbox import catalog
from connectors.hubspot.sandbox.replies import error, invalid

Json = dict[str, Any]


def iso(at: datetime) -> str:
    """`2026-11-16T09:00:00.001Z`, as HubSpot writes instants."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


class Records:
    """Objects, properties and links of one account."""

    def __init__(self, store: Store, clock: SandboxClock, options: Json) -> None:
        self.store, self.clock, self.options = store, clock, options
        self.revision = 0
        self._orders: dict[Any, tuple[int, list[str]]] = {}

    def kind(self, name: str) -> str:
        """The object type of a path segment: its plural name, singular name or type id."""
        plural = {single: many for many, single in catalog.SINGULAR.items()}
        found = catalog.TYPE_IDS.get(name, plural.get(name, name))
        if found not in catalog.SINGULAR:
            raise error(400, None, f"Unable to infer object type from: {name}")
        return found

    def table(self, kind: str) -> Table:
        """All records of a type, archived ones too."""
        return self.store.table(f"object:{kind}")

    def properties(self, kind: str) -> Table:
        """The property definitions of a type."""
        table = self.store.table(f"property:{kind}")
        if not len(table):
            table.put(catalog.properties(kind))
        return table

    def modified(self, kind: str) -> str:
        """The property that a change of this type bumps."""
        return catalog.MODIFIED.get(kind, "hs_lastmodifieddate")

    def order(self, key: Any, make: Callable[[], list[str]]) -> list[str]:
        """A sorted list of ids, made anew only after a write."""
        known = self._orders.get(key)
        if known is None or known[0] != self.revision:
            if len(self._orders) > 64:
                self._orders.clear()
            known = (self.revision, make())
            self._orders[key] = known
        return known[1]

    def find(self, kind: str, id_: str) -> Json | None:
        """A live record; the winner for a merged loser where the option says so."""
        record = self.table(kind).get(id_)
        if record is None and self.options.get("merged_ids") == "winner":
            winner = self.store.table(f"merged:{kind}").get(id_)
            record = self.table(kind).get(winner["id"]) if winner else None
        return None if record is None or record["archived"] else record

    def by_value(self, kind: str, name: str, value: str) -> Json | None:
        """The live record that has this value, capitals aside."""
        wanted = value.casefold()
        for record in self.table(kind).values():
            held = (record["properties"].get(name) or "").casefold()
            if held == wanted and not record["archived"]:
                return record
        return None

    def make(self, id_: str, values: Json, created: datetime, modified: datetime) -> Json:
        """A record in wire shape; not yet kept."""
        stamp = iso(modified)
        return {
            "id": id_,
            "properties": {
                **{name: value for name, value in values.items() if value is not None},
                "hs_object_id": id_,
                "createdate": iso(created),
                "lastmodifieddate": stamp,
                "hs_lastmodifieddate": stamp,
            },
            "createdAt": iso(created),
            "updatedAt": stamp,
            "archived": False,
        }

    def put(self, kind: str, records: Iterable[Json]) -> None:
        """Keep records as they are."""
        self.table(kind).put({record["id"]: record for record in records})
        self.revision += 1

    def change(self, kind: str, record: Json, values: Json) -> Json:
        """The record with these values, stamped now and kept."""
        now = iso(self.clock.tick())
        before = record["properties"]
        merged = {**before, **{n: self._stored(kind, n, v, before) for n, v in values.items()}}
        merged |= {"lastmodifieddate": now, "hs_lastmodifieddate": now}
        changed = {**record, "properties": merged, "updatedAt": now}
        if self.options.get("index_lag_ms"):
            changed["was"] = {k: record[k] for k in ("properties", "updatedAt")}
        self.put(kind, [changed])
        return changed

    def archive(self, kind: str, id_: str) -> None:
        """Into the bin: its modified date stays, as at HubSpot."""
        record = self.find(kind, id_)
        if record is not None:
            self.put(kind, [{**record, "archived": True, "archivedAt": iso(self.clock.tick())}])

    def merge(self, kind: str, winner_id: str, loser_id: str) -> Json:
        """The loser stops listing; the winner remembers its id."""
        winner, loser = self.find(kind, winner_id), self.find(kind, loser_id)
        if winner is None or loser is None:
            raise error(404, "OBJECT_NOT_FOUND", "One of the objects to merge does not exist.")
        del self.table(kind)[loser_id]
        self.store.table(f"merged:{kind}")[loser_id] = {"id": winner_id}
        old = [i for i in (winner["properties"].get("hs_merged_object_ids") or "").split(";") if i]
        return self.change(kind, winner, {"hs_merged_object_ids": ";".join([*old, loser_id])})

    def new_id(self) -> str:
        """The next free record id."""
        table = self.store.table("sequence")
        number = int(table.get("id", {"n": 900_000_000_000})["n"]) + 1
        table["id"] = {"n": number}
        return str(number)

    def validate(self, kind: str, values: Json, *, system: bool = False) -> None:
        """Refuse unknown properties, read-only ones and options that do not exist."""
        known = self.properties(kind)
        problems: list[tuple[str, str, str]] = []
        for name, value in values.items():
            definition = known.get(name)
            if definition is None:
                text = f'Property "{name}" does not exist'
                problems.append(("PROPERTY_DOESNT_EXIST", name, text))
            elif name in catalog.READ_ONLY and not system:
                problems.append(("READ_ONLY_VALUE", name, f'"{name}" is a read only property'))
            else:
                problems += self._options(name, definition, value)
        if problems:
            raise invalid(problems)

    @staticmethod
    def _options(name: str, definition: Json, value: Any) -> list[tuple[str, str, str]]:
        if definition["type"] != "enumeration" or value in (None, ""):
            return []
        allowed = [option["value"] for option in definition["options"]]
        parts = str(value).split(";")
        given = parts if definition["fieldType"] == "checkbox" else [str(value)]
        return [
            ("INVALID_OPTION", name, f"{one} was not one of the allowed options: {allowed}")
            for one in given
            if one and one not in allowed
        ]

    def _stored(self, kind: str, name: str, value: Any, before: Json) -> str | None:
        """ "" clears; a leading ";" appends to a multiple choice; everything is kept as text."""
        if value in (None, ""):
            return None
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if self.properties(kind)[name]["fieldType"] == "checkbox" and text.startswith(";"):
            old = [one for one in (before.get(name) or "").split(";") if one]
            text = ";".join(dict.fromkeys([*old, *[one for one in text.split(";") if one]]))
        return text

    def shown(self, kind: str, record: Json, names: Iterable[str] | None) -> Json:
        """A record as a reply has it: asked properties, null where it has none."""
        wanted = list(names or ()) or list(catalog.SHOWN.get(kind, ()))
        wanted += [*catalog.ALWAYS, self.modified(kind)]
        wanted = [name for name in wanted if name in self.properties(kind)]
        out = {k: v for k, v in record.items() if k not in ("was", "properties")}
        out["properties"] = {name: record["properties"].get(name) for name in dict.fromkeys(wanted)}
        return out
