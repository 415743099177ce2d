"""The warehouse: canonical tables, profiles and membership, rebuildable from landing."""

from audiencehub.warehouse.duckdb import Warehouse, open_published
from audiencehub.warehouse.filled import recall, remember, unfilled

__all__ = ["Warehouse", "open_published", "recall", "remember", "unfilled"]
