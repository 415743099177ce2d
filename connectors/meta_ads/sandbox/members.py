"""Members of the fake's audiences: the set of rows as they were uploaded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.meta_ads.sandbox import rows, standing
from connectors.meta_ads.sandbox.graph import GraphError

if TYPE_CHECKING:
    from connectors.meta_ads.sandbox.app import MetaSandbox

TOO_LARGE = 100_000_000
Document = dict[str, Any]


def change(fake: MetaSandbox, audience: Document, method: str, params: Document) -> Document:
    """Add or remove rows. A row leaves only by the very columns and values it came with."""
    _usable(audience)
    if standing.operation(fake, audience) == standing.IN_PROGRESS:
        raise GraphError(2650, "Custom audience update failed", 1870145)
    op = "remove" if method == "DELETE" else "add"
    found, session = rows.payload(params), rows.session_of(params)
    rows.worth(found, op, taken=audience["is_value_based"])
    received, invalid = found.received, found.invalid
    if session is None:
        _apply(fake, audience, op, found.good)
        number = 0
    else:
        number, batch, last = session
        key = f"{audience['account_id']}:{number}"
        what = {"audience": audience["id"], "op": op, "columns": found.columns}
        table = fake.store.table("session")
        known = rows.continued(table.get(key), batch, what, fake.clock.now())
        if not rows.overdue(known, fake.clock.now()):
            _apply(fake, audience, op, found.good)
            known = {
                **known,
                "batch": max(batch, known["batch"]),
                "open": not last,
                "received": known["received"] + received,
                "invalid": known["invalid"] + invalid,
            }
        # Counts are the session's, so that a batch sent twice counts twice.
        received, invalid = known["received"], known["invalid"]
        table[key] = known
    return {
        "audience_id": audience["id"],
        "session_id": str(number),
        "num_received": received,
        "num_invalid_entries": invalid,
        "invalid_entry_samples": found.samples,
    }


def replace(fake: MetaSandbox, audience: Document, params: Document) -> Document:
    """Stage rows over several batches; the last one puts them in place of the old ones."""
    _usable(audience)
    session = rows.session_of(params)
    if session is None:
        raise GraphError(100, "The parameter session is required")
    number, batch, last = session
    found = rows.payload(params)
    rows.worth(found, "add", taken=audience["is_value_based"])
    running = _replacement(fake, audience, number, batch, found.columns)
    staged = fake.store.table(f"replace:{audience['id']}")
    if batch == 1:
        staged.clear()
    staged.put({rows.key(row): row for row in found.good})
    running = {
        **running,
        "batch": batch,
        "received": running["received"] + found.received,
        "invalid": running["invalid"] + found.invalid,
        "state": "finished" if last else "open",
    }
    fake.store.table("replacement")[standing.session_key(audience, number)] = running
    _store(fake, audience, replacing=None if last else number)
    if last:
        busy = fake.clock.now() + timedelta(minutes=int(fake.options.get("replace_minutes", 0)))
        _store(fake, audience, operation_status=standing.NORMAL, busy_until=busy.isoformat())
        _swap(fake, audience, dict(staged))
        staged.clear()
    return {
        "account_id": audience["account_id"],
        "session_id": str(number),
        "num_received": running["received"],
        "num_invalid_entries": running["invalid"],
        "invalid_entry_samples": found.samples,
    }


def erase(fake: MetaSandbox, account: str, params: Document) -> Document:
    """Take people out of every audience of the account, by any identifier given."""
    found = rows.payload(params)
    wanted = {pair for row in found.good for pair in rows.identity(row).items()}
    for audience in list(fake.store.table("audience").values()):
        if audience["account_id"] == account:
            held = fake.store.table(f"member:{audience['id']}").values()
            hit = [row for row in list(held) if wanted & set(row.items())]
            _apply(fake, audience, "remove", hit)
    return {
        "num_received": found.received,
        "num_invalid_entries": found.invalid,
        "invalid_entry_samples": found.samples,
    }


def _usable(audience: Document) -> None:
    if audience["subtype"] != "CUSTOM":
        raise GraphError(100, "This audience takes no uploads")
    if audience["operation_status"]["code"] == 471:
        raise GraphError(100, "This audience was flagged and takes no uploads", 1713230)


def _replacement(
    fake: MetaSandbox, audience: Document, number: int, batch: int, columns: list[str]
) -> Document:
    """The running replacement this batch belongs to; every wrong order has a subcode."""
    known = fake.store.table("replacement").get(standing.session_key(audience, number))
    over = {"finished": 1870159, "late": 1870158}
    running = audience.get("replacing")
    if known is not None and known["state"] in over:
        raise GraphError(2650, "Custom audience update failed", over[known["state"]])
    if running not in (None, number) or (
        running is None and standing.operation(fake, audience) == standing.IN_PROGRESS
    ):
        raise GraphError(2650, "Custom audience update failed", 1870145)
    if len(fake.store.table(f"member:{audience['id']}")) >= int(
        fake.options.get("too_large", TOO_LARGE)
    ):
        raise GraphError(2650, "Custom audience update failed", 1870144)
    if known is None:
        if batch != 1:
            raise GraphError(2650, "Custom audience update failed", 1870147)
        opened = fake.clock.now().isoformat()
        return {"opened": opened, "batch": 0, "received": 0, "invalid": 0, "columns": columns}
    if batch > known["batch"] + 1 or columns != known["columns"]:
        raise GraphError(2650, "Custom audience update failed", 1870148)
    # Sent again from its first batch, a session counts anew.
    return {**known, "received": 0, "invalid": 0} if batch == 1 else dict(known)


def _swap(fake: MetaSandbox, audience: Document, staged: Document) -> None:
    held = dict(fake.store.table(f"member:{audience['id']}"))
    _apply(fake, audience, "remove", [row for key, row in held.items() if key not in staged])
    _apply(fake, audience, "add", [row for key, row in staged.items() if key not in held])


def _apply(fake: MetaSandbox, audience: Document, op: str, changed: list[Document]) -> None:
    table = fake.store.table(f"member:{audience['id']}")
    fresh: Document = {}
    for row in changed:
        key = rows.key(row)
        held = key in table or key in fresh
        fake.record_write(key, op, audience=audience["id"], changed=held is (op == "remove"))
        if op == "add":
            fresh[key] = row  # also where it is there: its value may be another
        elif held:
            del table[key]
    if fresh:
        table.put(fresh)
    _store(fake, audience, time_content_updated=int(fake.clock.tick().timestamp()))


def _store(fake: MetaSandbox, audience: Document, **values: Any) -> None:
    table = fake.store.table("audience")
    table[audience["id"]] = {**table[audience["id"]], **values}
