"""What a settings entry of LinkedIn matched audiences may say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Reference = dict[Literal["env", "file"], str]


class Options(BaseModel):
    """Options of a `linkedin_ads` destination."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account_id: str = Field(pattern=r"^[0-9]{1,20}$")
    """The ad account, as Campaign Manager shows it."""
    source_platform: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,63}$")
    """The name that LinkedIn assigned to the company's app when it let it into the programme."""
    members: Literal["people", "companies"] = "people"
    """Whether the audiences are of people (USER) or of companies (COMPANY)."""
    api_version: str = Field("202604", pattern=r"^20[0-9]{2}(0[1-9]|1[0-2])$")
    """`LinkedIn-Version`, a year and a month. A version lives for about a year."""
    namespace: str = Field("audiencehub", pattern=r"^[a-z0-9_-]{1,40}$")
    """Two hubs that share an ad account need two namespaces, or they share audiences. A new one
    makes every audience anew."""
    token: Reference | None = None
    """Reference to an access token with rw_dmp_segments; it lives for 60 days."""
    client_id: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    client_secret: Reference | None = None
    """Reference; with client_id and refresh_token."""
    refresh_token: Reference | None = None
    """Reference; in place of `token`: access tokens are then fetched. It lives for 365 days."""

    @model_validator(mode="after")
    def _whole(self) -> Options:
        if self.refresh_token and not (self.client_id and self.client_secret):
            raise ValueError("refresh_token needs client_id and client_secret beside it")
        return self

    @property
    def account(self) -> str:
        """`urn:li:sponsoredAccount:<digits>`"""
        return f"urn:li:sponsoredAccount:{self.account_id}"

    @property
    def type(self) -> Literal["USER", "COMPANY"]:
        """LinkedIn's word for what the segments hold."""
        return "COMPANY" if self.members == "companies" else "USER"
