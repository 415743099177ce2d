"""What a settings entry of TikTok ads may say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Reference = dict[Literal["env", "file"], str]


class Options(BaseModel):
    """Options of a `tiktok_ads` destination."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    advertiser_id: str = Field(pattern=r"^[0-9]{1,20}$")
    """The ad account, as Ads Manager shows it."""
    calls_per_second: int = Field(10, ge=1, le=100)
    """TikTok publishes no limit of the segment API; 10 is an assumption that nobody has verified.
    Lower it where TikTok answers 40100."""
    namespace: str = Field("audiencehub", pattern=r"^[a-z0-9_-]{1,40}$")
    """Two hubs that share an ad account need two namespaces, or they share audiences. A new one
    makes every audience anew."""
    token: Reference | None = None
    """Reference to an access token with Audience Management."""
