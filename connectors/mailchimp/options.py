"""What a settings entry of Mailchimp may say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Reference = dict[Literal["env", "file"], str]


class Options(BaseModel):
    """Options of a `mailchimp` destination."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    audience_id: str = Field(pattern=r"^[a-z0-9]{4,20}$")
    """The audience whose contacts are tagged: Audience, Settings, "Audience name and defaults"."""
    create: Literal["never", "transactional"] = "never"
    """What becomes of people who are not in the audience: told as rejected, or made contacts that
    get no marketing. Nobody is ever made a subscriber."""
    names: bool = False
    """Give contacts that are made their first and last names (FNAME, LNAME)."""
    namespace: str = Field("audiencehub", pattern=r"^[a-z0-9_-]{1,40}$")
    """Two hubs that share an audience need two namespaces, or they share tags."""
    api_key: Reference | None = None
    """Reference to an API key; what follows its hyphen names the data centre."""
