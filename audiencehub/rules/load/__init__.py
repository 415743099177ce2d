"""From YAML files to a rule book, with all faults of all files at once."""

from audiencehub.rules.load.folder import load, read_segment

__all__ = ["load", "read_segment"]
