"""What the figures say: the report of a run."""
