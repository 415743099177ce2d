"""The options of a BuiltWith settings entry."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class BuiltWithOptions(BaseModel):
    """How jobs are sized and awaited."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: dict[Literal["env", "file"], str] | None = None
    """Where the API key is."""
    domains_per_job: int = Field(1000, ge=1, le=5000)
    """The vendor takes 5,000 (`whoamiv1`: account.max_batch_size.domain_bulk_submit)."""
    poll_seconds: float = Field(10.0, ge=0, le=300)
    """Longest pause between two looks at a job."""
    job_minutes: float = Field(30.0, gt=0)
    """How long a job may take before the run goes on without it."""
    live_only: bool = False
    """Leave out what is no longer on the site; rules about dropped technologies need it."""
