"""Places: a forgotten person taken out of every destination, by the ordinary way, and the proof."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from audiencehub.connector import Destination
from audiencehub.delivery import crash
from audiencehub.delivery.places import may_send, record_sources
from audiencehub.errors import HubError
from audiencehub.forgetting.person import Person
from audiencehub.hub import Hub
from audiencehub.ledger.erasing import Member
from audiencehub.model import Target
from audiencehub.opening import open_destination
from audiencehub.steps import plan, push

NEVER, REMOVED, ACCEPTED, OPEN = "never sent", "removed", "accepted", "still there"
REFUSED = "never taken"
CANNOT_PROVE = (
    "The destination accepted the removal and has no way to read a member back: "
    "that it was carried out cannot be proven from here."
)
TOLD = (
    "Staff were told, and what was told stays there: where messages name people, somebody has to "
    "look for this one and delete them."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One target, or one destination to which the person was never sent."""

    target: str
    outcome: str
    """`never sent`, `never taken` (refused when they were to be added), `removed` (proven),
    `accepted` (cannot be proven), `still there`."""
    proof: str = ""
    """Status and digest of the reply, or what was read back; no id of a record."""
    at: str = ""
    note: str = ""


@dataclass(slots=True)
class Removal:
    """What came of all targets."""

    outcomes: list[Outcome]
    problems: list[str]
    """One instruction for each target that still has the person, or may have."""


def members(hub: Hub, person: Person) -> set[Member]:
    """(target, member) under which the person may be known at any target there ever was."""
    found = hub.ledger.erasing.members(person.owns)
    for target in hub.ledger.targets.all():
        if target.kind == "list":
            found |= {(target.id, str(own)) for own in person.owns}
        elif target.place != "account":
            sources = _sources(hub, target)
            found |= {(target.id, record) for source, record in person.records if source in sources}
    return found


def standing(hub: Hub, person: Person) -> set[str]:
    """Targets that hold the person, or of which nobody knows."""
    return {target for target, _ in hub.ledger.erasing.standing(members(hub, person))}


def remove(hub: Hub, person: Person) -> Removal:
    """Plan and send the removals: those of consent and erasure alone, which no guard holds.

    A target that cannot be reached does not keep the others waiting.
    """
    problems = []
    for target in sorted(standing(hub, person)):
        try:
            _remove(hub, target)
        except HubError as error:
            problems.append(f"{target}: {error}")
        crash.point("forget_removed")
    return _looked(hub, person, problems)


def _remove(hub: Hub, target: str) -> None:
    name = target.partition("/")[0]
    entry = hub.settings.destinations.get(name)
    if entry is None:
        raise HubError(
            f"Settings name no destination {name}, and it has the person.",
            hint=f"Put [destinations.{name}] back until this is done",
        )
    if not may_send(entry, hub.endpoints, dry_run=hub.dry_run):
        raise HubError(
            f"Nothing may be sent to {name}: it is in mode {entry.mode}.",
            hint=f'Set mode = "live" for {name} until this is done',
        )
    plan.plan(hub, only={target})
    crash.point("forget_planned")
    push.push(hub, target, consent_only=True)


def _looked(hub: Hub, person: Person, problems: list[str]) -> Removal:
    """The last word of each target, read back where that can be done."""
    known, left = members(hub, person), standing(hub, person)
    last = {one.target: one for one in hub.ledger.erasing.traces(known)}
    outcomes = []
    for target in hub.ledger.targets.all():
        trace = last.get(target.id)
        if target.id in left:
            outcomes.append(Outcome(target.id, OPEN))
            if not any(one.startswith(f"{target.id}: ") for one in problems):
                problems.append(f"{target.id}: its reply settles nothing yet.\n  -> Run it again")
        elif trace is not None and trace.op == "add" and trace.state != "confirmed":
            outcomes.append(Outcome(target.id, REFUSED, trace.proof, trace.at))
        elif trace is not None:
            mine = sorted(member for at, member in known if at == target.id)
            try:
                proof, note = _proof(hub, target, mine)
            except HubError as error:
                problems.append(f"{target.id}: {error}")
                outcomes.append(Outcome(target.id, OPEN, trace.proof, trace.at))
                continue
            said = "; ".join(filter(None, (trace.proof, proof)))
            outcome = ACCEPTED if note else REMOVED
            outcomes.append(Outcome(target.id, outcome, said, trace.at, note))
    at = {one.target.partition("/")[0] for one in outcomes}
    outcomes += [Outcome(name, NEVER) for name in hub.settings.destinations if name not in at]
    return Removal(outcomes, problems)


def _proof(hub: Hub, target: Target, mine: list[str]) -> tuple[str, str]:
    """What reading back says, and what cannot be said. Raises HubError when tags are there."""
    if target.destination not in hub.settings.destinations:
        return "", "The destination is in settings no more: it was not read back."
    destination: Destination = open_destination(hub, target.destination)
    if destination.can.internal:
        return "", TOLD
    if target.kind != "tag" or not destination.can.reads:
        return "", CANNOT_PROVE
    held = destination.read(target, mine)
    if any(value.tags for value in held.values()):
        raise HubError("Read back, it still has tags of ours.", hint="Run it again")
    return f"read back: {len(held)} of {len(mine)} records there, none with a tag", ""


def _sources(hub: Hub, target: Target) -> set[str]:
    if target.destination in hub.settings.destinations:
        return set(record_sources(hub.settings, target.destination))
    return {target.destination}


def as_json(outcomes: Iterable[Outcome]) -> list[dict[str, str]]:
    """As JSON values, empty ones left out."""
    return [{name: text for name, text in asdict(one).items() if text} for one in outcomes]
