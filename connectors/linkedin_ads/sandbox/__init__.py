"""A fake of LinkedIn's matched audiences."""

from connectors.linkedin_ads.sandbox.app import LinkedInSandbox

__all__ = ["LinkedInSandbox"]
