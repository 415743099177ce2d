"""Who is to be forgotten: every record of theirs, and every identifier these ever had.

Identity says which records are the person's; landing, in all its pages, what these records said. An
identifier that a record of somebody else says too is not the person's alone, and stays.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from audiencehub.errors import ConfigError, SkipRow
from audiencehub.hub import Hub
from audiencehub.identity import keys, why
from audiencehub.landing import MALFORMED, landing
from audiencehub.ledger import Forgetting, Ledger
from audiencehub.model import Json, Row, Stream
from audiencehub.opening import open_source
from audiencehub.privacy.forgotten import spelled

KINDS = ("email", "phone", "external_id")
"""Fields of a contact that name a person."""
Record = tuple[str, str]
"""(source, record id)."""
Rows = Callable[[str], Callable[[Stream, Json], Iterable[Row]]]


@dataclass(frozen=True, slots=True)
class Person:
    """One person with all that names them, as it was written."""

    id: str
    """HMAC id: what every trace of the person is called from now on."""
    owns: tuple[int, ...]
    """Numbers of the contact records."""
    records: tuple[Record, ...]
    values: Mapping[str, frozenset[str]]
    """Kind of identifier to its spellings: those that are the person's alone."""
    shared: Mapping[str, int] = field(default_factory=dict)
    """Kind to how many identifiers somebody else has too."""

    def marks(self, ledger: Ledger) -> dict[str, str]:
        """HMAC of every identifier to its kind."""
        named = [("record", record, source) for source, record in self.records]
        named += [(kind, value, "") for kind, found in self.values.items() for value in found]
        texts = ((kind, spelled(kind, value, source)) for kind, value, source in named)
        return {ledger.sealing.mark(text): kind for kind, text in texts if text}

    def needles(self) -> tuple[str, ...]:
        """What a landed line holds, in lower case, when it may concern the person."""
        listed = {record for _, record in self.records}
        for kind in ("email", "external_id"):
            listed |= self.values.get(kind, frozenset())
        listed |= {one.replace("@", "%40") for one in self.values.get("email", ())}
        return tuple(sorted({_as_json(one) for one in listed if one.strip()}))

    def sealed(self, ledger: Ledger) -> bytes:
        """All of it encrypted, for as long as it is needed."""
        values = {kind: sorted(found) for kind, found in self.values.items()}
        said = {"records": self.records, "values": values, "shared": dict(self.shared)}
        return ledger.sealing.seal({name: json.dumps(one) for name, one in said.items()})


def opened(ledger: Ledger, request: Forgetting) -> Person:
    """The person of a request that is not done yet."""
    assert request.sealed is not None, "an open request keeps what it needs"
    said = {name: json.loads(one) for name, one in ledger.sealing.open(request.sealed).items()}
    records = tuple((source, record) for source, record in said["records"])
    values = {kind: frozenset(found) for kind, found in said["values"].items()}
    return Person(request.person, request.owns, records, values, said["shared"])


def asked_before(ledger: Ledger, text: str) -> Forgetting | None:
    """The request about the person that a text names: an address, `source:record`, a number of
    theirs, or the beginning of their HMAC id."""
    source, _, record = text.partition(":")
    tries = [spelled("email", text)] if "@" in text else []
    tries += [spelled("record", record, source)] if record else []
    for one in tries:
        found = ledger.forgotten.of_mark(ledger.sealing.mark(one)) if one else None
        if found is not None:
            return found
    if text.isdigit() and (known := ledger.forgotten.of_own(int(text))):
        return known
    return ledger.forgotten.get(text.lower()) if len(text) >= 8 else None


def identify(hub: Hub, text: str) -> Person:
    """The person that an id, `source:record`, or an e-mail address names, with every identifier.

    Raises ConfigError when nobody is meant, or several.
    """
    keys.prepare(hub.warehouse.connection)
    try:
        number = why.find(hub.warehouse.connection, "contact", text)
    except ConfigError:
        if "@" not in text or not any(_lines(hub, (_as_json(text.strip()),))):
            raise
        # Known from what they did alone: no record of a person has this address.
        return _named(hub.ledger, (), (), {"email": frozenset({text.strip()})}, {})
    owns = tuple(sorted({number, *hub.ledger.merges.owns("contact", number)}))
    records = tuple(hub.ledger.erasing.records(owns))
    said = _said(hub, frozenset(records))
    shared = _shared(hub, frozenset(records), said)
    alone = {
        kind: frozenset(one for one in found if spelled(kind, one) not in shared[kind])
        for kind, found in said.items()
    }
    counts = {kind: len(found) for kind, found in shared.items() if found}
    return _named(hub.ledger, owns, records, alone, counts)


def mapping(hub: Hub) -> Rows:
    """By source, what makes rows of its records; nothing does where settings name it no more."""
    opened_before: dict[str, Callable[[Stream, Json], Iterable[Row]]] = {}

    def rows(source: str) -> Callable[[Stream, Json], Iterable[Row]]:
        if source not in opened_before:
            known = source in hub.settings.sources
            opened_before[source] = open_source(hub, source).rows if known else _unknown
        return opened_before[source]

    return rows


def _unknown(stream: Stream, _: Json) -> Iterable[Row]:
    raise SkipRow(f"No source reads {stream.name}.", hint="Name it in settings", code="no_source")


def _named(
    ledger: Ledger,
    owns: tuple[int, ...],
    records: tuple[Record, ...],
    values: Mapping[str, frozenset[str]],
    shared: Mapping[str, int],
) -> Person:
    first = [*(f"{source}\n{record}" for source, record in sorted(records))]
    first += sorted(values.get("email", ()))
    return Person(ledger.sealing.mark(f"person\n{first[0]}"), owns, records, values, shared)


def _said(hub: Hub, records: frozenset[Record]) -> dict[str, set[str]]:
    """What the records say, now and in every landed page."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    needles = tuple(sorted({_as_json(record) for _, record in records}))
    for source, row in _contacts(hub, needles):
        if (source, row.source_id) in records:
            for kind in KINDS:
                if row.values.get(kind):
                    found[kind].add(str(row.values[kind]).strip())
    columns = ", ".join(f'"{kind}"' for kind in KINDS)
    for source, record in records:
        for values in hub.warehouse.connection.execute(
            f"SELECT {columns} FROM source_contact WHERE source = ? AND source_id = ?",
            [source, record],
        ).fetchall():
            for kind, value in zip(KINDS, values, strict=True):
                if value:
                    found[kind].add(str(value))
    return found


def _shared(
    hub: Hub, records: frozenset[Record], said: Mapping[str, set[str]]
) -> dict[str, set[str | None]]:
    """Of these identifiers, as they are digested, those that a record of others has."""
    mine = {kind: {spelled(kind, one) for one in found} for kind, found in said.items()}
    found: dict[str, set[str | None]] = {kind: set() for kind in KINDS}
    needles = {_as_json(one) for kind in ("email", "external_id") for one in said[kind]}
    for source, row in _contacts(hub, tuple(sorted(needles))):
        if (source, row.source_id) in records:
            continue
        for kind in KINDS:
            found[kind] |= {spelled(kind, row.values.get(kind))} & mine[kind]
    phones = sorted(said["phone"])
    for source, record, phone in hub.warehouse.connection.execute(
        "SELECT source, source_id, phone FROM source_contact WHERE phone IN "
        "(SELECT unnest(?::VARCHAR[]))",
        [phones],
    ).fetchall():
        if (source, record) not in records:
            found["phone"].add(spelled("phone", phone))
    return {kind: marks - {None} for kind, marks in found.items()}


def _contacts(hub: Hub, needles: tuple[str, ...]) -> Iterator[tuple[str, Row]]:
    """(source, row) of every landed contact whose line holds one of these."""
    rows = mapping(hub)
    for source, stream, line in _lines(hub, needles):
        try:
            made = list(rows(source)(Stream(stream), json.loads(line)))
        except (SkipRow, *MALFORMED):
            continue
        yield from ((source, row) for row in made if row.table == "contact")


def _lines(hub: Hub, needles: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """(source, stream, line) of every landed line that holds one of these."""
    if not needles:
        return
    for manifest in hub.ledger.manifests.after(0):
        for entry in manifest.files:
            path = landing(hub.settings) / entry.path
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    lowered = line.lower()
                    if any(one in lowered for one in needles):
                        yield manifest.source, manifest.stream, line


def _as_json(text: str) -> str:
    return json.dumps(text)[1:-1].lower()


def counted(person: Person) -> dict[str, int]:
    """Kind of identifier to how many there are, records among them."""
    found = Counter({kind: len(values) for kind, values in person.values.items()})
    found["record"] = len(person.records)
    return dict(sorted((+found).items()))
