"""A fake of TikTok's streaming segment API."""

from connectors.tiktok_ads.sandbox.app import TikTokSandbox

__all__ = ["TikTokSandbox"]
