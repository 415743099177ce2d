"""What a settings entry of Klaviyo may say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Reference = dict[Literal["env", "file"], str]


class Options(BaseModel):
    """Options of a `klaviyo` destination."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    revision: str = Field("2026-10-15", pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]$")
    """The dated contract of the API; Klaviyo keeps each for two years."""
    create_profiles: bool = True
    """Whether people whom Klaviyo does not know become profiles, never subscribed. Otherwise they
    are told as rejected."""
    names: bool = False
    """Send first and last names with new and known profiles, in place of what Klaviyo has."""
    wait_seconds: float = Field(20.0, ge=0, le=300)
    """How long a push waits for an import to end; then what became of it is asked for later."""
    namespace: str = Field("audiencehub", pattern=r"^[a-z0-9_-]{1,40}$")
    """Two hubs that share an account need two namespaces, or they share lists."""
    api_key: Reference | None = None
    """Reference to a private API key with the scopes that `audiencehub connectors` lists."""
