"""A fake of Meta's Marketing API for customer file audiences."""

from connectors.meta_ads.sandbox.app import MetaSandbox

__all__ = ["MetaSandbox"]
