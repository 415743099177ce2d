"""What a settings entry of Google Ads may say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Reference = dict[Literal["env", "file"], str]
ACCOUNT = r"^[0-9]{3}-?[0-9]{3}-?[0-9]{4}$"


class Options(BaseModel):
    """Options of a `google_ads` destination."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account_id: str = Field(pattern=ACCOUNT)
    """The Google Ads account that owns the lists, as Google Ads shows it: `123-456-7890`."""
    login_account_id: str | None = Field(None, pattern=ACCOUNT)
    """The manager account that the login belongs to, where the access is through one."""
    membership_days: int = Field(540, ge=1, le=540)
    """How long a member stays who is not sent again; 540 is Google's longest."""
    namespace: str = Field("audiencehub", pattern=r"^[a-z0-9_-]{1,40}$")
    """Two hubs that share an account need two namespaces, or they share lists."""
    client_id: str | None = Field(None, pattern=r"^[0-9A-Za-z._-]{1,120}$")
    """The OAuth client; the quotas are its Cloud project's."""
    client_secret: Reference | None = None
    refresh_token: Reference | None = None
    """Reference to a refresh token with the scope `datamanager`, of a user who may edit lists."""
    service_account: Reference | None = None
    """Reference to the key of a service account that Google Ads lets edit lists: the JSON file's
    text. In place of the three above."""

    @model_validator(mode="after")
    def _whole(self) -> Options:
        if self.service_account and self.refresh_token:
            raise ValueError("service_account and refresh_token are two logins: keep one")
        if self.refresh_token and not (self.client_id and self.client_secret):
            raise ValueError("refresh_token needs client_id and client_secret beside it")
        return self

    @property
    def account(self) -> str:
        """The account's digits."""
        return self.account_id.replace("-", "")

    @property
    def login(self) -> str | None:
        """The manager's digits."""
        return self.login_account_id.replace("-", "") if self.login_account_id else None
