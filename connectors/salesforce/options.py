"""The options of a Salesforce settings entry."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

ApiName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")]
"""The API name of a field; a namespace prefix and `__c` are part of it."""
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Version = Annotated[str, StringConstraints(pattern=r"^[4-9][0-9]\.0$")]
Place = Literal["contact", "lead", "account", "deal"]
Secret = dict[Literal["env", "file"], str]


class SalesforceOptions(BaseModel):
    """Where the org is, how to log in, what to read beyond the standard fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: Domain = "acme.my"
    """Before `.salesforce.com`: `acme.my`, `acme--uat.sandbox.my`; `login` for JWT only."""
    auth: Literal["client_credentials", "jwt", "session"] = "client_credentials"
    """`client_credentials` and `jwt` need an External Client App; `session` a ready session id,
    which nothing can refresh."""
    username: str = ""
    """The integration user, for the JWT flow."""
    consumer_key: Secret | None = None
    consumer_secret: Secret | None = None
    private_key: Secret | None = None
    session_id: Secret | None = None
    api_version: Version = "62.0"
    streams: list[str] | None = None
    """The streams to read; none given: all."""
    fields: dict[Place, dict[str, ApiName]] = Field(default_factory=dict)
    """Canonical field to the org's own field, by stream, beside or instead of the standard ones:
    `fields.contact = { external_id = "Customer_Number__c" }`. A field that is named here and
    cannot be read stops the pull."""
    bulk_query_above: int = Field(2000, ge=0)
    """Records from which a pull uses Bulk API 2.0 (the vendor advises 2,000)."""
    bulk_ingest_above: int = Field(2000, ge=0)
    """Changed rows from which tags go out by Bulk API 2.0."""
    bulk_page: int = Field(50_000, ge=1, le=100_000)
    """Records per page of bulk results."""
    overlap_minutes: int = Field(10, ge=5, le=1440)
    """How far before the last stamp seen an incremental pull begins: a transaction that was open
    then may have stamped its records earlier."""
    segments_field: ApiName = "Audiencehub_Segments__c"
    reason_field: ApiName = "Audiencehub_Reason__c"
    create_fields: bool | None = None
    """Make the two fields through the Tooling API when they are missing, and grant them to the
    running user. None: only in the sandbox."""
    namespace: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")] = "audiencehub"
    """Two hubs that share an org need two namespaces, or they share campaigns."""
    poll_seconds: float = Field(2.0, ge=0, le=60)
    """Longest pause between two looks at a bulk job."""
    job_minutes: float = Field(30, gt=0)
    """How long a bulk job may take before its outcome counts as unknown."""
    calls_per_second: float = Field(20, gt=0)

    @field_validator("fields")
    @classmethod
    def _known(cls, value: dict[Any, dict[str, str]]) -> dict[Any, dict[str, str]]:
        for place, mapped in value.items():
            bad = [name for name in mapped if not name.isidentifier()]
            if bad:
                raise ValueError(f"{place}: {bad[0]!r} is no field name")
        return value
