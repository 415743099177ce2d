"""Forget: a person out of every destination first, then out of every file of ours, with proof.

Each step may be repeated; what it came to is noted when it is done, so that a forget that died, or
that a destination kept waiting, goes on where it stood. Between steps nothing brings the person
back: tombstones and suppression stand from the first transaction on.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from audiencehub import rebuild
from audiencehub.delivery import crash
from audiencehub.errors import ConfigError
from audiencehub.forgetting import certificate, files, landed, places
from audiencehub.forgetting.person import Person, asked_before, counted, identify, opened
from audiencehub.forgetting.traces import traces
from audiencehub.hub import Hub
from audiencehub.ledger import Forgetting
from audiencehub.ledger.backup import backups
from audiencehub.privacy.forgotten import PERSONAL, spelled

POINTS = (
    "forget_noted", "forget_planned", "forget_removed", "forget_placed", "forget_page",
    "forget_page_named", "forget_landed", "forget_rebuilt", "forget_ledger", "forget_files",
    "forget_searched", "forget_finished",
)  # fmt: skip
"""Where a test kills a forget for real, in the order they are passed."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a forget would do; nothing was changed."""

    person: str
    identifiers: Mapping[str, int]
    shared: Mapping[str, int]
    """Identifiers that a record of somebody else has too: they stay there."""
    targets: tuple[str, ...]
    """Targets that have the person, or may have."""
    landing: Mapping[str, Any]
    warehouse: Mapping[str, int]
    ledger: Mapping[str, int]
    files: tuple[str, ...]
    """Other files that name the person."""


@dataclass(slots=True)
class Outcome:
    """What a forget came to."""

    person: str
    state: str
    """`done`, or `open`: what is left is among the problems."""
    problems: list[str] = field(default_factory=list)
    certificate: Mapping[str, Any] | None = None


class _Undone(Exception):
    """Raised to take back what was done to be counted."""


def look(hub: Hub, text: str) -> Look:
    """What would go and where. Raises ConfigError when nobody is meant, or several."""
    rebuild.refresh(hub)
    person = identify(hub, text)
    own = (f"{one}/" for one in ("landing", "published"))
    prefix = hub.settings.folder.relative_to(hub.settings.root).as_posix()
    known = (files.LEDGER, files.OPEN, *own)
    found = files.search(hub.settings, person, hub.warehouse.connection).named
    others = [one for one in found if not one.startswith(tuple(f"{prefix}/{k}" for k in known))]
    return Look(
        person.id,
        counted(person),
        person.shared,
        tuple(sorted(places.standing(hub, person))),
        asdict(landed.look(hub, person)),
        _rows(hub, person),
        _would_change(hub, person),
        tuple(others),
    )


def request(hub: Hub, text: str, who: str, reason: str) -> Forgetting:
    """The request about a person, noted now or before: from here on nothing is sent or landed."""
    before = asked_before(hub.ledger, text)
    if before is not None:
        return before
    if not reason.strip():
        raise ConfigError(
            "To forget somebody needs a reason.", hint='Add --reason "asked by letter, 3 November"'
        )
    rebuild.refresh(hub)
    person = identify(hub, text)
    if traces(person).among(f"{who} {reason}"):
        raise ConfigError(
            "The reason names the person, and it is kept.",
            hint="Write it without their address or number",
        )
    ledger = hub.ledger
    with ledger.transaction():
        marks = person.marks(ledger)
        sealed = person.sealed(ledger)
        ledger.forgotten.begin(person.id, who, reason, hub.now, person.owns, sealed, marks)
        ledger.consent.suppress(
            "contact",
            person.owns,
            "forgotten",
            who,
            hub.now,
            hmacs=[person.id] * len(person.owns),
        )
        detail = {"reason": reason, "identifiers": counted(person)}
        ledger.audit.record(hub.now, who, "forget", person.id, detail)
    crash.point("forget_noted")
    found = ledger.forgotten.get(person.id)
    assert found is not None, "it was noted just now"
    return found


def forget(hub: Hub, text: str, who: str, reason: str) -> Outcome:
    """Forget a person, or go on with it. Raises ConfigError when nobody is meant, or several."""
    asked = request(hub, text, who, reason)
    if asked.state == "done":
        return _done(hub, asked)
    return carry_on(hub, asked)


def carry_on(hub: Hub, asked: Forgetting) -> Outcome:
    """All steps of an open request, from the first that is not done."""
    ledger, person = hub.ledger, opened(hub.ledger, asked)
    ledger.erasing.cover()
    _remember(hub, asked, person)
    if "places" not in asked.found or places.standing(hub, person):
        removal = places.remove(hub, person)
        if removal.problems:
            return Outcome(person.id, "open", removal.problems)
        ledger.forgotten.note(person.id, "places", places.as_json(removal.outcomes))
    crash.point("forget_placed")
    result = landed.rewrite(hub, person)
    ledger.forgotten.note(person.id, "pages", asdict(result))
    crash.point("forget_landed")
    if asked.found.get("rebuilt") != result.pages:
        _rebuild(hub)
        ledger.forgotten.note(person.id, "rebuilt", result.pages)
    crash.point("forget_rebuilt")
    _deidentify(hub, asked, person)
    crash.point("forget_ledger")
    swept = files.sweep(hub.settings, person)
    before = asked.found.get("files", 0)
    ledger.forgotten.note(person.id, "files", before + swept)
    ledger.erasing.scour()
    _backups(hub)
    crash.point("forget_files")
    return _proven(hub, person)


def _remember(hub: Hub, asked: Forgetting, person: Person) -> None:
    """Counts that cannot be taken later, for the certificate."""
    note = hub.ledger.forgotten.note
    if "warehouse" not in asked.found:
        note(person.id, "warehouse", {"rows": _rows(hub, person)})
        note(person.id, "shared", dict(person.shared))
        sources: dict[str, int] = {}
        for source, _ in person.records:
            sources[source] = sources.get(source, 0) + 1
        note(person.id, "sources", sources)


def _rebuild(hub: Hub) -> None:
    """The warehouse in a new file, and no older copy of it."""
    rebuild.rebuild(hub)
    folder = hub.settings.folder
    for old in sorted((folder / "published").glob("*.duckdb"))[:-1]:
        old.unlink(missing_ok=True)
    for pattern in ("hub.broken*", "hub.rebuild*", "hub.duckdb.new", "published/*.tmp*"):
        for stray in folder.glob(pattern):
            stray.unlink(missing_ok=True)
    # What the engine spills of a large table.
    for spilled in folder.glob("*.tmp"):
        shutil.rmtree(spilled, ignore_errors=True)


def _backups(hub: Hub) -> None:
    """One backup of the ledger as it now is, in place of all that were made before."""
    older = backups(hub.settings.folder)
    if older:
        fresh = hub.ledger.backup(hub.now, hub.settings.retention.backups)
        for old in older:
            if old != Path(fresh.path):
                old.unlink(missing_ok=True)


def _deidentify(hub: Hub, asked: Forgetting, person: Person) -> None:
    ledger = hub.ledger
    named = places.members(hub, person)
    with ledger.transaction():
        changed = ledger.erasing.deidentify(person.id, person.owns, named, _stand_ins(hub, person))
        before = asked.found.get("ledger", {})
        summed = {name: changed.get(name, 0) + before.get(name, 0) for name in {*changed, *before}}
        if "ledger" not in asked.found:
            ledger.forgotten.note(person.id, "ledger", summed)


def _proven(hub: Hub, person: Person) -> Outcome:
    """Search everything, draw the certificate, and let go of what was sealed."""
    ledger = hub.ledger
    found = files.search(hub.settings, person, hub.warehouse.connection)
    if found.hits:
        listed = ", ".join(found.hits[:5])
        return Outcome(
            person.id, "open",
            [f"{len(found.hits)} places still name the person: {listed}.\n"
             "  -> Delete them, or move them out of the project; then run it again"],
        )  # fmt: skip
    searched = {
        "files": found.files,
        "bytes": found.size,
        "spellings": found.spellings,
        "found": 0,
    }
    ledger.forgotten.note(person.id, "searched", searched)
    crash.point("forget_searched")
    asked = ledger.forgotten.get(person.id)
    assert asked is not None, "it is being carried out"
    kinds = ledger.forgotten.kinds(person.id)
    drawn = certificate.draw(hub.settings, asked, kinds, hub.now.isoformat())
    with ledger.transaction():
        ledger.forgotten.finish(person.id, hub.now, drawn)
        detail = {
            "destinations": len(drawn["destinations"]),
            "cannot_prove_deletion": drawn["cannot_prove_deletion"],
            "pages": drawn["removed"]["landing"]["pages"],
        }
        ledger.audit.record(hub.now, asked.who, "forgotten", person.id, detail)
    crash.point("forget_finished")
    asked = ledger.forgotten.get(person.id)
    assert asked is not None, "it was finished just now"
    return _done(hub, asked)


def _done(hub: Hub, asked: Forgetting) -> Outcome:
    """The certificate of a request that is done, written again where it is not there."""
    assert asked.certificate is not None, "what is done has one"
    hub.ledger.erasing.scour()
    certificate.write(hub.settings, asked.certificate)
    return Outcome(asked.person, "done", [], asked.certificate)


def _stand_ins(hub: Hub, person: Person) -> dict[tuple[str, str], str]:
    make = hub.ledger.sealing.mark
    return {
        (source, record): make(str(spelled("record", record, source)))
        for source, record in person.records
    }


def _would_change(hub: Hub, person: Person) -> dict[str, int]:
    """Rows of the ledger that would lose what names the person, by table."""
    changed: dict[str, int] = {}
    named, stand_ins = places.members(hub, person), _stand_ins(hub, person)
    try:
        with hub.ledger.transaction():
            changed = dict(hub.ledger.erasing.deidentify(person.id, person.owns, named, stand_ins))
            raise _Undone
    except _Undone:
        return changed


def _rows(hub: Hub, person: Person) -> dict[str, int]:
    """Rows of the warehouse that are the person's, by table."""
    found = {}
    owns = list(person.owns)
    for name in hub.warehouse.tables:
        if name in PERSONAL - {"consent"}:
            (row,) = hub.warehouse.connection.execute(
                f'SELECT count(*) FROM "{name}" WHERE list_contains($owns::INTEGER[], contact_id)',
                {"owns": owns},
            ).fetchall()
            found[name] = int(row[0])
    return {name: count for name, count in found.items() if count}
