"""The destinations of the sweep, by name."""

TOYS = ("toy_crm", "toy_ads")
VENDORS = ("salesforce", "hubspot", "meta_ads")
NAMES = (*TOYS, *VENDORS)
BATCH = {**dict.fromkeys(TOYS, 5), **dict.fromkeys(VENDORS, 8)}
"""Rows of a call; vendors take more, but a crash between calls needs several of them."""
