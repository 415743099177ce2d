"""What a settings entry of a webhook may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Reference = dict[Literal["env", "file"], str]
FieldName = Literal[
    "email",
    "phone",
    "external_id",
    "first_name",
    "last_name",
    "city",
    "state",
    "zip",
    "country",
    "company_name",
    "company_domain",
]
KEYS = frozenset({"email", "phone", "external_id"})
"""Fields that name one person by themselves."""


class Options(BaseModel):
    """Options of a `webhook` destination."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Reference | None = None
    """Reference to the receiver's address, https; it is treated as a secret."""
    key: Reference | None = None
    """Reference to the key that both sides sign with."""
    fields: Annotated[tuple[FieldName, ...], Field(min_length=1)] = ("email", "external_id")
    """What is sent of a person, where it is known; at least one of email, phone, external_id."""
    hashed: bool = True
    """E-mail and phone go as SHA-256 (`email_sha256`, `phone_sha256`); false: as readable text."""
    purpose: Literal["advertising", "marketing"] = "advertising"
    channel: Literal["ads", "email"] = "ads"
    """The consent that a person must have given, with `purpose`; the strictest unless said."""
    receipt: Literal["status", "count"] = "status"
    """What proves that all was taken: a status of success, or `{"received": n}` with it."""
    calls_per_second: Annotated[int, Field(ge=1, le=1000)] = 5

    @model_validator(mode="after")
    def _names_somebody(self) -> Options:
        if not KEYS & set(self.fields):
            raise ValueError(f"fields must hold one of {', '.join(sorted(KEYS))}")
        if len(set(self.fields)) != len(self.fields):
            raise ValueError("fields holds one of them twice")
        return self
