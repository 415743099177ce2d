"""The warehouse: canonical tables, profiles and membership, rebuildable from landing."""

from audiencehub.warehouse.duckdb import Warehouse, open_published

__all__ = ["Warehouse", "open_published"]
