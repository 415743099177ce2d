"""What a settings entry of Slack may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Reference = dict[Literal["env", "file"], str]


class Options(BaseModel):
    """Options of a `slack` destination: one entry for each channel."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Reference | None = None
    """Reference to the address of an incoming webhook, which is its secret."""
    names: Annotated[int, Field(ge=0, le=50)] = 0
    """How many of those who entered are named, with their company. What was posted stays in the
    channel: `forget` cannot take a name out of it."""
    entering_only: bool = False
    """Tell of those who enter alone, as an alert does."""
