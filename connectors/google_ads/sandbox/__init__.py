"""A fake of Google's Data Manager API for Customer Match lists."""

from connectors.google_ads.sandbox.app import GoogleSandbox

__all__ = ["GoogleSandbox"]
