"""One environment's settings, read whole: what refers to something else is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from audiencehub.canonical import Custom, Table, located, spelled, tables_with
from audiencehub.settings.alerts import Alerts
from audiencehub.settings.tables import (
    Audit,
    AuditLimits,
    Company,
    DestinationEntry,
    Guards,
    Identity,
    Priority,
    Retention,
    Sandbox,
    SegmentEntry,
    SourceEntry,
    Strict,
    TargetEntry,
)


class Settings(Strict):
    """One environment, read whole."""

    company: Company
    clock: Literal["machine", "sandbox"] = "machine"
    home: Path = Path(".audiencehub")
    rules: Path = Path("segment_rules")
    sandbox: Sandbox | None = None
    sources: dict[str, SourceEntry] = Field(default_factory=dict)
    destinations: dict[str, DestinationEntry] = Field(default_factory=dict)
    guards: Guards = Guards()
    identity: Identity = Identity()
    custom: Custom = Field(default_factory=dict)
    """Fields of one's own: `[custom.contact.<name>]`, `[custom.account.<name>]`."""
    survivorship: dict[str, list[str]] = Field(default_factory=dict)
    """Per field the sources that come first, best first: `"account.employee_count" = [...]`,
    `"contact.custom.tier" = [...]`."""
    audit: Audit = Audit()
    targets: dict[str, TargetEntry] = Field(default_factory=dict)
    segments: dict[str, SegmentEntry] = Field(default_factory=dict)
    """Single segments, wherever they go: `[segments.in_market_fintech]`."""
    priorities: dict[str, Priority] = Field(default_factory=dict)
    """Lists that compete for people: `[priorities.acquisition]`."""
    alerts: Alerts = Alerts()
    retention: Retention = Retention()
    env: str = "sandbox"
    root: Path = Path()

    @field_validator("survivorship")
    @classmethod
    def _survivors(cls, said: dict[str, list[str]], info: ValidationInfo) -> dict[str, list[str]]:
        sources = info.data.get("sources", {})
        found: dict[str, list[str]] = {}
        for name, order in said.items():
            table, field = _field_of(info, name)
            if table not in ("contact", "account"):
                raise ValueError(f"{name}: only people and companies have several sources")
            wrong = [source for source in order if source not in sources]
            if wrong:
                raise ValueError(f"{name} names {wrong[0]}, which is no source of this environment")
            if f"{table}.{field}" in found:
                raise ValueError(f"{name} is written twice")
            found[f"{table}.{field}"] = order
        return found

    @field_validator("audit")
    @classmethod
    def _audited(cls, said: Audit, info: ValidationInfo) -> Audit:
        found: dict[str, dict[str, float]] = {}
        for name, limits in said.fields.items():
            wrong = sorted(limits.keys() - AuditLimits.model_fields.keys())
            if wrong:
                raise ValueError(f"{name} has no limit {wrong[0]}")
            found[".".join(_field_of(info, name))] = limits
        return said.model_copy(update={"fields": found})

    @field_validator("custom")
    @classmethod
    def _from_known_sources(cls, custom: Custom, info: ValidationInfo) -> Custom:
        sources = info.data.get("sources", {})
        for entity, declared in custom.items():
            for name, one in declared.items():
                for source in sorted(set(one.origins) - set(sources)):
                    near = get_close_matches(source, sources, 1)
                    meant = f"; did you mean {near[0]}?" if near else ""
                    raise ValueError(f"{entity}.{name} comes from no source {source!r}{meant}")
        return custom

    @field_validator("targets")
    @classmethod
    def _somewhere(
        cls, said: dict[str, TargetEntry], info: ValidationInfo
    ) -> dict[str, TargetEntry]:
        known = info.data.get("destinations", {})
        for target in said:
            name, _, rest = target.partition("/")
            if name not in known:
                near = get_close_matches(name, known, 1)
                meant = f"; did you mean {near[0]}?" if near else ""
                raise ValueError(f"{target} is at no destination of this environment{meant}")
            if not rest.endswith("/tags") and not rest.startswith("list/"):
                raise ValueError(
                    f"{target} is no target; write {name}/contact/tags or {name}/list/<segment>"
                )
        return said

    @field_validator("priorities")
    @classmethod
    def _ranked(cls, said: dict[str, Priority], info: ValidationInfo) -> dict[str, Priority]:
        known = info.data.get("destinations", {})
        seen: set[tuple[str, str]] = set()
        for name, one in said.items():
            for destination in one.destinations:
                if destination not in known:
                    near = get_close_matches(destination, known, 1)
                    meant = f"; did you mean {near[0]}?" if near else ""
                    raise ValueError(f"{name} names no destination {destination!r}{meant}")
                for segment in one.segments:
                    if (destination, segment) in seen:
                        raise ValueError(f"{segment} is ranked twice at {destination}")
                    seen.add((destination, segment))
        return said

    @field_validator("alerts")
    @classmethod
    def _watched(cls, said: Alerts, info: ValidationInfo) -> Alerts:
        sources = info.data.get("sources", {})
        for source in sorted({one.partition("/")[0] for one in said.stale} - sources.keys()):
            near = get_close_matches(source, sources, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"stale names {source}, which is no source{meant}")
        return said

    @property
    def tables(self) -> Mapping[str, Table]:
        """The canonical tables, custom fields among them."""
        return tables_with(self.custom)

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone: whose midnight ends a day."""
        return ZoneInfo(self.company.timezone)

    @property
    def folder(self) -> Path:
        """Where this environment keeps landing, warehouse, ledger and reports."""
        return self.root / self.home / self.env

    @property
    def rules_folder(self) -> Path:
        """The folder of segment rules."""
        return self.root / self.rules

    def above(self, destination: str, segment: str) -> list[str]:
        """The segments whose lists at this destination come before this one's, the highest first.

        Some may have no list there.
        """
        for one in self.priorities.values():
            if destination in one.destinations and segment in one.segments:
                return one.segments[: one.segments.index(segment)]
        return []

    def guards_of(self, target: str, segment: str | None = None) -> Guards:
        """The guards of one target, and of one segment there: the general ones, then what is said
        of the target, of the segment, and last of the segment at this target."""
        here = self.targets.get(target, TargetEntry())
        said: list[BaseModel] = [here.guards]
        if segment is not None:
            said += [self.segments.get(segment, SegmentEntry()).guards]
            said += [here.segments.get(segment, SegmentEntry()).guards]
        found = self.guards.model_dump()
        for one in said:
            found |= one.model_dump(exclude_none=True)
        return Guards(**found)


def _field_of(info: ValidationInfo, name: str) -> tuple[str, str]:
    """Table and column that a setting names. Raises ValueError with the nearest one there is."""
    tables = tables_with(info.data.get("custom", {}))
    found = located(tables, name)
    if found is None:
        known = [spelled(one.name, field.name) for one in tables.values() for field in one.fields]
        meant = get_close_matches(name, known, 1) or get_close_matches(f"contact.{name}", known, 1)
        hint = f"did you mean {meant[0]}?" if meant else "write contact.title or account.industry"
        raise ValueError(f"{name} is no field; {hint}")
    return found[0], found[1].name
