"""A fake of Klaviyo's API for lists, profiles and imports."""

from connectors.klaviyo.sandbox.app import KlaviyoSandbox

__all__ = ["KlaviyoSandbox"]
