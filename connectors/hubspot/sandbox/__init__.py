"""HubSpot's fake: both path families, the search wall, its lag, 207 and the limits, on loopback."""

from connectors.hubspot.sandbox.app import HubSpotSandbox

__all__ = ["HubSpotSandbox"]
