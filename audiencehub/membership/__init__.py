"""Membership in the warehouse: masks beside the ledger, and what differs between two runs."""

from audiencehub.membership.masks import Masks
from audiencehub.membership.settlement import Settlement
from audiencehub.membership.table import Pair, refresh, rewrite

__all__ = ["Masks", "Pair", "Settlement", "refresh", "rewrite"]
