"""The tables of a settings file, but for alerts, each one strict."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


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


Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Guards(Strict):
    """When a plan is held. Shares are of what the target is believed to hold."""

    removals_share: Share = 0.15
    removals_count: Count = 20
    adds_share: Share = 0.50
    adds_count: Count = 200
    segment_to_none: bool = True
    source_drop_share: Share = 0.10
    reject_share: Share = 0.05
    field_share: Share = 0.25
    first_run: Literal["hold", "go"] = "hold"


class SegmentGuards(Strict):
    """The guards that count one segment's members, where it has limits of its own."""

    removals_share: Share | None = None
    removals_count: Count | None = None
    adds_share: Share | None = None
    adds_count: Count | None = None
    segment_to_none: bool | None = None


class TargetGuards(SegmentGuards):
    """The guards that are others at one target."""

    source_drop_share: Share | None = None
    reject_share: Share | None = None
    field_share: Share | None = None
    first_run: Literal["hold", "go"] | None = None


class SegmentEntry(Strict):
    """What is set for one segment: at every target, or within one target's table there alone."""

    guards: SegmentGuards = SegmentGuards()


class TargetEntry(Strict):
    """What is set for one target alone."""

    guards: TargetGuards = TargetGuards()
    freeze_hours: Annotated[float, Field(ge=0)] = 0
    segments: dict[str, SegmentEntry] = Field(default_factory=dict)
    """Single segments at this target: `[targets."crm/contact/tags".segments.warm]`."""


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


class Priority(Strict):
    """Lists of which a person goes only to the highest that claims them."""

    destinations: list[str] = Field(min_length=1)
    """Each of them by itself."""
    segments: Annotated[list[str], Field(min_length=2)]
    """The highest first."""


class Retention(Strict):
    """How long is kept what nothing is decided by any more, in days, and how many backups."""

    landing_days: Annotated[int, Field(ge=1)] = 30
    """Landed pages that a later complete full pull of their stream has superseded."""
    row_log_days: Annotated[int, Field(ge=1)] = 90
    """What became of each row that was sent, and what each plan said of it."""
    audit_days: Annotated[int, Field(ge=1)] = 1095
    """The audit, the heads of plans, and runs."""
    backups: Annotated[int, Field(ge=1)] = 14
    """Backups of the ledger; maintenance makes one a day."""


class Sandbox(Strict):
    """The demo company behind the fakes."""

    world: Literal["demo", "realdata"] = "demo"
    seed: int = 20261116
    contacts: int = 5000
    accounts: int = 600
