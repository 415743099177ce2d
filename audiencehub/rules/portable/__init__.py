"""Rules as plain SQL for engines beyond one machine, and to be read: a statement for each rule.

Rendered from the typed form alone, sharing no code with `compile`, which it is compared with.
"""

from audiencehub.rules.portable.dialect import DIALECTS
from audiencehub.rules.portable.run import Connection, Portable, PortableStage, sql
from audiencehub.rules.portable.values import Statement

__all__ = ["DIALECTS", "Connection", "Portable", "PortableStage", "Statement", "sql"]
