"""The warehouse from landing alone: what a run missed, or all of it anew.

Every state that a run left is come by in order, so that the history of each profile is the same as
if the warehouse had never been lost. A state is what was landed at one time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from audiencehub.errors import ConfigError
from audiencehub.hub import Hub
from audiencehub.identity.consents import decisions
from audiencehub.ledger import Manifest
from audiencehub.steps import normalize, resolve, segment
from audiencehub.warehouse import Warehouse, open_published
from audiencehub.warehouse.compare import Digest, digests


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild came to."""

    manifests: int = 0
    states: int = 0
    """Times at which something was landed."""
    tables: Mapping[str, Digest] = field(default_factory=dict)
    different: tuple[str, ...] | None = None
    """Tables that are not what they were; None when there was nothing whole to compare with."""
    evaluated_at: datetime | None = None
    """The clock at which rules were evaluated again: the one of the last evaluation before."""
    entered: int = 0
    left: int = 0
    """Memberships that the rebuilt data says differently: none, unless code or settings changed."""


def catch_up(hub: Hub, *, heard: bool = False) -> int:
    """Come by every earlier state that the warehouse has not seen, short of the newest one.

    A run's own normalize and resolve do the rest. What each state says about consent is taken down,
    unless the ledger has `heard` it: a record that said no may be merged away in the next state.
    Returns how many states there were.
    """
    stops = _stops(hub.warehouse, hub.ledger.manifests.after(hub.warehouse.applied))
    for place, stop in enumerate(stops, 1):
        normalize.normalize(hub, stop)
        known = hub.warehouse.known_at
        if known is not None and hub.warehouse.get("resolved") != known.isoformat():
            resolve.resolve(replace(hub, now=known), passing=True)
        if known is not None and not heard and hub.warehouse.get("whole") != known.isoformat():
            hub.ledger.consent.record(decisions(hub.warehouse.connection, hub.ledger))
        hub.progress("catch up with landing", place, len(stops))
    return len(stops)


def refresh(hub: Hub) -> bool:
    """Bring a warehouse that lags behind landing up to date; one that was lost, whole.

    For runs that read no source: they would take what is not there for gone. False when there was
    nothing to do.
    """
    known = hub.warehouse.known_at
    whole = known is None or hub.warehouse.get("whole") == known.isoformat()
    if whole and not hub.ledger.manifests.after(hub.warehouse.applied):
        return False
    lost = hub.warehouse.applied == 0
    at = last_evaluation(hub) if lost else None
    catch_up(hub)
    normalize.normalize(hub)
    resolve.resolve(hub)
    if at is not None:
        segment.segment(replace(hub, now=at))
    return True


def _stops(warehouse: Warehouse, pending: list[Manifest]) -> list[int]:
    """The last manifest of each state but the newest."""
    stops, last, newest = [], warehouse.applied, warehouse.known_at
    for manifest in pending:
        if newest is not None and manifest.at > newest:
            stops.append(last)
        newest = max(manifest.at, newest or manifest.at)
        last = manifest.manifest_id
    return stops


def rebuild(hub: Hub) -> Rebuilt:
    """Make the warehouse anew beside the old one, then put it in its place and publish it.

    Rules are evaluated as of their last evaluation, so that nobody enters or leaves by a rebuild.
    The old one stays until the new one is whole.
    """
    manifests = hub.ledger.manifests.after(0)
    result = Rebuilt(len(manifests))
    result.evaluated_at = last_evaluation(hub)
    before = _before(hub.warehouse, manifests)
    draft = hub.warehouse.draft()
    try:
        aside = replace(hub, warehouse=draft)
        result.states = catch_up(aside, heard=True) + bool(manifests)
        normalize.normalize(aside)
        resolve.resolve(replace(aside, now=draft.known_at or hub.now))
        if result.evaluated_at is not None:
            found = segment.segment(replace(aside, now=result.evaluated_at))
            result.entered, result.left = sum(found.entered.values()), sum(found.left.values())
        result.tables = digests(draft.connection, draft.tables)
    except BaseException:
        draft.discard()
        raise
    if before is not None:
        result.different = tuple(name for name in before if before[name] != result.tables[name])
    hub.warehouse.adopt(draft)
    hub.warehouse.publish(hub.now)
    return result


def last_evaluation(hub: Hub) -> datetime | None:
    """The clock of the last evaluation of rules, as the warehouse or its published copy has it."""
    said = hub.warehouse.get("evaluated_at")
    if said is None:
        try:
            connection, _ = open_published(hub.settings.folder, anyway=True)
        except ConfigError:
            return None
        try:
            found = connection.execute(
                "SELECT value FROM meta WHERE key = 'evaluated_at'"
            ).fetchone()
        finally:
            connection.close()
        said = str(found[0]) if found else None
    return datetime.fromisoformat(said) if said else None


def _before(warehouse: Warehouse, manifests: list[Manifest]) -> Mapping[str, Digest] | None:
    whole = manifests and warehouse.applied == manifests[-1].manifest_id
    return digests(warehouse.connection, warehouse.tables) if whole else None
