"""What a settings entry of Meta ads may say."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Reference = dict[Literal["env", "file"], str]
Share = Annotated[
    Decimal, Field(ge=Decimal("0.01"), le=Decimal("0.20"), multiple_of=Decimal("0.01"))
]
CALLS_PER_HOUR = {"limited": 5_000, "full": 190_000}
"""Of the ad account, plus 40 for each active audience, which are not counted on (Marketing API,
"Rate Limiting", business use case custom_audience)."""


class Lookalike(BaseModel):
    """An audience of people like those of a segment, kept up to date by Meta."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    countries: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = Field(min_length=1)
    """Where its people are, ISO 3166-1 alpha-2."""
    share: Share
    """Of each country's people, the most alike: 0.01 to 0.20."""
    beyond: Share | None = None
    """Leave out the share that another lookalike has already."""

    @model_validator(mode="after")
    def _ordered(self) -> Lookalike:
        if self.beyond is not None and self.beyond >= self.share:
            raise ValueError("beyond must be less than share")
        return self


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
    tier: Literal["limited", "full"] = "limited"
    """Access tier of the app: 5,000 calls an hour for an ad account, or 190,000."""
    limited_data_use: bool | None = None
    """True: every row asks for Limited Data Use, and Meta finds out who is of a US state that has
    it; false: every row says that none is asked for; None: rows say nothing."""
    values: dict[str, str] = Field(default_factory=dict)
    """Segment to the trait that says what each member is worth: a seed for lookalikes by value."""
    lookalikes: dict[str, Lookalike] = Field(default_factory=dict)
    """Segment to the lookalike that the first push makes after Meta has matched enough people."""
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

    @property
    def calls_per_hour(self) -> int:
        """What the tier allows at least."""
        return CALLS_PER_HOUR[self.tier]
