"""Why: a person's records with what joins them, read from the published copy and the journal."""

from __future__ import annotations

from typing import Any

from audiencehub.errors import ConfigError
from audiencehub.identity.keys import Connection
from audiencehub.ledger import Ledger, Merge


def find(connection: Connection, entity: str, text: str) -> int:
    """The person that an id, `source:record`, or an e-mail address (a domain, for accounts) names.

    Raises ConfigError when nobody or several are meant.
    """
    column = "email" if entity == "contact" else "domain"
    source, _, key = text.partition(":")
    values: list[str | int]
    if text.isdigit():
        where, values = "r.own = ?", [int(text)]
    elif key:
        where, values = "r.source = ? AND r.source_id = ?", [source, key]
    else:
        where, values = f"s.{column} = lower(?)", [text]
    rows = connection.execute(
        f"SELECT DISTINCT r.id FROM identity_record r JOIN source_{entity} s"
        f" USING (source, source_id) WHERE r.entity = '{entity}' AND {where} ORDER BY 1",
        values,
    ).fetchall()
    if len(rows) == 1:
        return int(rows[0][0])
    ids = ", ".join(str(row[0]) for row in rows)
    raise ConfigError(
        f"{len(rows) or 'No'} {entity}s are meant{f': {ids}' if ids else ''}.",
        hint="Name one by id, by source:record, or by e-mail address (accounts: domain)",
    )


def why(connection: Connection, ledger: Ledger, entity: str, person: int) -> dict[str, Any]:
    """`id, records, merges, apart, conflicts` of a person; keys by kind, never by value."""
    records = connection.execute(
        f"""
        SELECT r.own, r.source, r.source_id, s.deleted,
               list_sort(list(DISTINCT k.kind) FILTER (k.kind IS NOT NULL))
        FROM identity_record r JOIN source_{entity} s USING (source, source_id)
        LEFT JOIN identity_key k ON k.entity = r.entity AND k.own = r.own
        WHERE r.entity = ? AND r.id = ? GROUP BY ALL ORDER BY r.own
        """,
        [entity, person],
    ).fetchall()
    owns = [row[0] for row in records]
    conflicts = connection.execute(
        "SELECT own, kind, reason FROM identity_conflict WHERE entity = ?"
        " AND list_contains(?::INTEGER[], own) ORDER BY ALL",
        [entity, owns],
    ).fetchall()
    return {
        "id": person,
        "records": [
            {"own": own, "source": source, "source_id": key, "deleted": gone, "keys": kinds or []}
            for own, source, key, gone, kinds in records
        ],
        "merges": [_merge(one) for one in ledger.merges.of(entity, owns)],
        "apart": [
            {"from": one.keeps, "record": one.goes, "merge": one.merge_id, "because": one.reason}
            for one in ledger.merges.separations(entity)
            if one.keeps in owns or one.goes in owns
        ],
        "conflicts": [
            {"record": own, "key": kind, "because": reason} for own, kind, reason in conflicts
        ],
    }


def _merge(one: Merge) -> dict[str, Any]:
    return {
        "merge": one.merge_id,
        "into": one.survivor,
        "joined": one.loser,
        "by": ", ".join(f"{e['kind']} with {e['with']}" for e in one.evidence if "with" in e)
        or f"{one.actor}: {one.reason}",
        "at": one.at.isoformat(timespec="minutes"),
        "undone": one.undone_reason,
    }
