"""What a settings entry of Microsoft Advertising may say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Reference = dict[Literal["env", "file"], str]


class Options(BaseModel):
    """Options of a `microsoft_ads` destination."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account_id: str = Field(pattern=r"^[0-9]{1,20}$")
    """The ad account (`aid` in the address of the Microsoft Advertising pages)."""
    customer_id: str = Field(pattern=r"^[0-9]{1,20}$")
    """The customer that the account belongs to (`cid` there)."""
    client_id: str = Field(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
    """The application as registered with Microsoft Entra."""
    tenant: str = Field("common", pattern=r"^[A-Za-z0-9.-]{1,80}$")
    accept_terms: bool = False
    """Accept the Customer Match terms with every upload (`AcceptCustomerMatchTerm`); otherwise a
    person accepts them once on the Microsoft Advertising pages."""
    membership_days: int | None = Field(None, ge=1, le=180)
    """Days until a member who is not added again drops out; None: as long as Microsoft keeps."""
    unverified_identifiers: bool = False
    """Send phone numbers too, though Microsoft publishes no rule for their form."""
    calls_per_minute: int = Field(300, ge=1, le=6000)
    """Microsoft publishes no limit; this many calls a minute are made at most."""
    namespace: str = Field("audiencehub", pattern=r"^[a-z0-9_-]{1,40}$")
    """Two hubs that share an account need two namespaces, or they share lists."""
    refresh_token: Reference | None = None
    """Reference. Microsoft gives a new one with every login, good for 90 days: where this is a
    `file`, it is kept there; where it is `env`, log in anew within 90 days."""
    client_secret: Reference | None = None
    """Reference; web applications have one, native ones do not."""
    developer_token: Reference | None = None
    """Reference to the developer token of the customer."""
