"""What a settings entry for HubSpot may say."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from audiencehub.canonical import TABLES
from connectors.hubspot.paths import DEFAULT, Version

Reference = dict[Literal["env", "file"], str]
StreamName = Literal["contact", "account", "deal", "activity"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


def _zone(name: str | None) -> str | None:
    if name is not None and name not in available_timezones():
        raise ValueError("is no IANA time zone")
    return name


def _canonical(fields: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    for table, mapped in fields.items():
        for name in mapped:
            if table not in TABLES or TABLES[table].field(name) is None:
                raise ValueError(f"{table}.{name} is no field of the canonical model")
    return fields


class Options(BaseModel):
    """Credentials are references; a Service Key or private-app token is the usual one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: Reference | None = None
    """Service Key or private-app token."""
    client_id: Reference | None = None
    client_secret: Reference | None = None
    refresh_token: Reference | None = None
    auth: Literal["token", "oauth"] = "token"
    """`oauth` renews an access token from client id, client secret and refresh token."""
    version: Version = DEFAULT
    streams: tuple[StreamName, ...] = ("contact", "account", "deal", "activity")
    overlap_minutes: Annotated[int, Field(ge=0, le=10_080)] = 60
    """How far behind now the next pull begins: HubSpot's search index lags."""
    fields: Annotated[
        dict[Literal["contact", "account", "deal"], dict[str, Name]], AfterValidator(_canonical)
    ] = {}
    """Canonical field to HubSpot property, where the account differs from the defaults."""
    subscriptions: bool = True
    """Read subscription statuses; without them nobody is known to have consented to e-mail."""
    subscription_ids: tuple[int, ...] = ()
    """Subscription types that count as marketing; none given: all of them."""
    calls_per_10s: Annotated[int, Field(ge=1, le=250)] = 100
    """100 on Free and Starter, 190 on Professional and Enterprise, 250 with the increase."""
    portal_timezone: Annotated[str | None, AfterValidator(_zone)] = None
    """Where the day ends on which the daily limit resets; none given: HubSpot is asked."""
    group: Name = "audiencehub"
    """Property group that the tag properties belong to."""
    namespace: Name = "audiencehub"
    """Two hubs that share an account need two namespaces, or they share lists."""
