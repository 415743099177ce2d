"""What a settings entry of Meta ads may say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Reference = dict[Literal["env", "file"], str]


class Options(BaseModel):
    """Options of a `meta_ads` destination."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    ad_account_id: str = Field(pattern=r"^(act_)?[0-9]{1,20}$")
    """As Ads Manager shows it, with or without `act_`."""
    api_version: str = Field("v25.0", pattern=r"^v[0-9]{2}\.0$")
    customer_file_source: Literal[
        "USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED"
    ] = "USER_PROVIDED_ONLY"
    """Where the people's data comes from; Meta requires the statement."""
    namespace: str = Field("audiencehub", pattern=r"^[a-z0-9_-]{1,40}$")
    """Two hubs that share an ad account need two namespaces, or they share audiences."""
    token: Reference | None = None
    """Reference to an access token with ads_management."""
    app_secret: Reference | None = None
    """Reference; where the app demands proof of its secret with every call."""

    @property
    def account(self) -> str:
        """`act_<digits>`"""
        return f"act_{self.ad_account_id.removeprefix('act_')}"
