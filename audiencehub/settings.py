"""Settings of one environment: `deployments/<env>.toml` plus the process environment.

Secrets are references, never values: `token = { env = "HUBSPOT_TOKEN" }` or
`token = { file = "/run/secrets/hubspot" }`.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from audiencehub.canonical import Custom, CustomField, Table, located, spelled, tables_with
from audiencehub.errors import ConfigError, Fault, Faults


class Strict(BaseModel):
    """A settings table: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _zone(name: str) -> str:
    if name not in available_timezones():
        near = get_close_matches(name, available_timezones(), 1)
        raise ValueError(f"is no IANA time zone{f'; did you mean {near[0]}?' if near else ''}")
    return name


class Company(Strict):
    """Whose data this is."""

    name: str
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"


class SourceEntry(Strict):
    """One source: which connector, and its options."""

    connector: str
    priority: int = 100
    """When sources disagree on a value, the lowest number wins, then the latest."""
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0
    """How far its values are to be trusted: shown beside each value, never calculated with."""
    expires_days: Annotated[int, Field(gt=0)] | None = None
    """Its values no longer count when they were observed longer ago than this."""
    licence: str | None = None
    """Under which terms its values may be used."""
    options: dict[str, Any] = Field(default_factory=dict)


class DestinationEntry(Strict):
    """One destination: which connector, its options, and whether it may write for real."""

    connector: str
    mode: Literal["sandbox", "dry_run", "live"] = "sandbox"
    places: list[str] | None = None
    """Tag targets to serve; none given: all the connector can."""
    reason: bool = True
    """Write the reason field beside the tags."""
    drift: Literal["report", "enforce"] = "report"
    options: dict[str, Any] = Field(default_factory=dict)


class Guards(Strict):
    """When a plan is held. Shares are of what the target is believed to hold."""

    removals_share: float = 0.15
    removals_count: int = 20
    adds_share: float = 0.50
    adds_count: int = 200
    segment_to_none: bool = True
    source_drop_share: float = 0.10
    reject_share: float = 0.05
    field_share: float = 0.25
    first_run: Literal["hold", "go"] = "hold"


class TargetEntry(Strict):
    """What is set for one target alone."""

    guards: dict[str, Any] = Field(default_factory=dict)
    freeze_hours: float = 0


VALUES_PER_PROFILE: Mapping[Literal["external_id", "email"], int] = {"external_id": 1, "email": 5}


class Identity(Strict):
    """What joins records to one person or company."""

    free_email_domains: list[str] = Field(default_factory=list)
    """Mail providers: their domain names no company. Added to the built-in list."""
    shared_mailboxes: list[str] = Field(default_factory=list)
    """Names before the @ that belong to several people: they never join records. Added to the
    built-in list (`info`, `sales`, `no-reply`, …)."""
    personal_mailboxes: list[str] = Field(default_factory=list)
    """Names of the built-in list that are people here, such as initials: `hr`, `ar`."""
    records_per_key: int = 20
    """A key shared by more records than this is no key."""
    blocked_values: list[str] = Field(
        default_factory=lambda: [
            "^[0-]*$", "-1", "null", "none", "anonymous", "n/a", "unknown", "undefined", "test@"
        ]
    )  # fmt: skip
    """Values that name nobody, whatever their case: a word also before the @ of an address, with
    `@` at its end only there; one that begins with ^ is a regular expression. They replace the
    built-in list."""
    values_per_profile: dict[Literal["external_id", "email"], int] = Field(
        default_factory=lambda: {**VALUES_PER_PROFILE}
    )
    """More different values of a kind than this are not joined into one person."""
    merges_per_profile: int = 100
    """No person is made of more records than this, and one."""
    keys_per_profile: int = 1000
    """No person has more keys than this."""


class AuditLimits(Strict):
    """When a field fails the audit of the data."""

    fill: float = 0.02
    """A person or company has it; a smaller share of them: sparse."""
    validity: float = 0.90
    """Of the values that were there, those that could be understood; fewer: invalid."""
    median_days: float = 730
    """Half of its values are older: stale. Of facts see `quiet_days`."""
    quiet_days: float = 45
    """No fact was dated in as many days: stale."""
    fill_change: float = 0.10
    """The fill of a source moved by more than this share since its last full pull: drifting."""
    stability: float = 0.25
    """Population-stability index of the field's values above this: drifting."""


class Audit(AuditLimits):
    """The limits of the audit, and those of single fields: `[audit.fields."contact.title"]`."""

    fields: dict[str, dict[str, float]] = Field(default_factory=dict)

    def of(self, field: str) -> AuditLimits:
        """The limits of one field, by `table.field`."""
        general = {name: getattr(self, name) for name in AuditLimits.model_fields}
        return AuditLimits(**{**general, **self.fields.get(field, {})})


class Sandbox(Strict):
    """The demo company behind the fakes."""

    world: Literal["demo", "realdata"] = "demo"
    seed: int = 20261116
    contacts: int = 5000
    accounts: int = 600


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

    def guards_of(self, target: str) -> Guards:
        """The guards of one target: the general ones, narrowed by its own entry."""
        own = self.targets.get(target)
        return Guards(**{**self.guards.model_dump(), **(own.guards if own else {})})


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


def load(env: str, root: Path | None = None) -> Settings:
    """The settings of an environment. Raises ConfigError listing every place searched."""
    root = (root or find_root()).resolve()
    path = root / "deployments" / f"{env}.toml"
    if not re.fullmatch(r"[a-z0-9_-]+", env) or not path.is_file():
        known = sorted(p.stem for p in (root / "deployments").glob("*.toml"))
        raise ConfigError(
            f"There is no environment {env!r}; looked for {path}.",
            hint=f"Use --env with one of: {', '.join(known) or 'none found'}; or copy "
            "deployments/prod.example.toml",
        )
    shown = str(path.relative_to(root))
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        found = re.search(r"line (\d+)", str(error))
        raise Faults(
            [Fault(shown, int(found[1]) if found else 1, f"is not TOML: {error}")]
        ) from None
    try:
        return Settings(**{**data, "env": env, "root": root})
    except ValidationError as error:
        raise Faults([_fault(shown, text, one) for one in error.errors()]) from None


def find_root(start: Path | None = None) -> Path:
    """The project folder: the nearest parent that has `deployments/`."""
    here = (start or Path(os.environ.get("AUDIENCEHUB_HOME") or Path.cwd())).resolve()
    for folder in (here, *here.parents):
        if (folder / "deployments").is_dir():
            return folder
    raise ConfigError(
        f"No deployments/ folder in {here} or above it.",
        hint="Run audiencehub inside the project, or set AUDIENCEHUB_HOME to its folder",
    )


def secret(settings: Settings, entry: str, options: Mapping[str, Any]) -> Callable[[str], str]:
    """A resolver of the entry's credentials by option name."""

    def resolve(name: str) -> str:
        reference = options.get(name)
        if isinstance(reference, Mapping) and set(reference) == {"env"}:
            value = os.environ.get(str(reference["env"]), "")
            if value:
                return value
            searched = f"environment variable {reference['env']} (unset or empty)"
        elif isinstance(reference, Mapping) and set(reference) == {"file"}:
            path = Path(str(reference["file"])).expanduser()
            if path.is_file():
                if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise ConfigError(
                        f"{path} can be read by others.", hint=f"Run: chmod 600 {path}"
                    )
                return path.read_text("utf-8").strip()
            searched = f"file {path} (absent)"
        else:
            searched = f"option {name} of {entry} (no reference)"
        if settings.sandbox is not None:
            return f"sandbox-{name}"
        raise ConfigError(
            f"No value for {name} of {entry}. Searched: {searched}.",
            hint=f"Set it in deployments/{settings.env}.toml as {name} = "
            '{ env = "NAME" } and export NAME',
        )

    return resolve


def instant(text: str, zone: ZoneInfo) -> datetime:
    """`2015-08-01` (the end of that day in the zone) or an ISO instant with offset, as UTC."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone).astimezone(UTC)
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise ConfigError(
            f"{text!r} is no date.", hint="Write 2026-11-16, or 2026-11-16T08:00:00+00:00"
        )
    return when.astimezone(UTC)


def _fault(path: str, text: str, error: Any) -> Fault:
    keys = [str(part) for part in error["loc"] if part != "[key]"]
    line = _line(text, keys)
    message = f"{'.'.join(keys)}: {error['msg'].removeprefix('Value error, ')}"
    hint = ""
    if error["type"] == "extra_forbidden":
        near = get_close_matches(keys[-1], _keys_at(keys[:-1]), 1)
        message = f"{'.'.join(keys)} is not a setting"
        hint = f"Did you mean {near[0]}?" if near else "Remove it"
    return Fault(path, line, message, hint)


def _keys_at(keys: list[str]) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "company": Company,
        "sources": SourceEntry,
        "destinations": DestinationEntry,
        "guards": Guards,
        "identity": Identity,
        "audit": Audit,
        "targets": TargetEntry,
        "sandbox": Sandbox,
        "custom": CustomField,
    }
    return list((models.get(keys[0], Settings) if keys else Settings).model_fields)


def _line(text: str, keys: list[str]) -> int:
    """The line of a dotted key: the deepest table header that matches, then the key below it."""
    lines = text.splitlines()
    start = 0
    for depth in range(len(keys), 0, -1):
        header = re.compile(
            r"\s*\[" + r"\.".join(f'"?{re.escape(k)}"?' for k in keys[:depth]) + r"[].]"
        )
        start = next((n for n, line in enumerate(lines) if header.match(line)), 0)
        if start:
            break
    key = re.compile(rf'\s*"?{re.escape(keys[-1])}"?\s*=')
    return next((n for n in range(start, len(lines)) if key.match(lines[n])), start) + 1
