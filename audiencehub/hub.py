"""The open handles of one run: a frozen record without behavior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from audiencehub.settings import Settings

if TYPE_CHECKING:
    from audiencehub.ledger import Ledger
    from audiencehub.rules import RuleBook
    from audiencehub.warehouse import Warehouse


def _silent(_: str, __: int = 0, ___: int | None = None) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Hub:
    """What every step is given."""

    settings: Settings
    ledger: Ledger
    warehouse: Warehouse
    rules: RuleBook
    run_id: str
    now: datetime
    """The run's clock, aware, UTC."""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Connector name to the address of its fake; empty against real vendors."""
    progress: Callable[..., None] = _silent
    """`progress(what, done, total)` for long work."""
    dry_run: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
