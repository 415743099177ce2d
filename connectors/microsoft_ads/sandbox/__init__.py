"""A fake of Microsoft Advertising's Campaign Management API for customer lists."""

from connectors.microsoft_ads.sandbox.app import MicrosoftSandbox

__all__ = ["MicrosoftSandbox"]
