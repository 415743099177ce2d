"""From who matches to who is a member: `stay` keeps some whom their rule lets go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from audiencehub.ledger import Carried
from audiencehub.membership.masks import ENTITIES, WORD, Connection, Masks
from audiencehub.model import Entity
from audiencehub.rules.book import RuleBook
from audiencehub.rules.compile import Stage
from audiencehub.warehouse.insert import insert


class Settlement:
    """Called between two stages. `kept(entity, id, segment)` stands between runs: who is in by
    their stay alone."""

    def __init__(
        self,
        masks: Masks,
        book: RuleBook,
        carried: Mapping[Entity, Carried],
        clock: datetime,
        zone: ZoneInfo,
        *,
        everyone: bool,
    ) -> None:
        """`everyone`: all masks are made anew; otherwise those in moved_<entity> are."""
        self.masks, self.book, self.carried = masks, book, carried
        self.clock, self.zone, self.everyone = clock, zone, everyone
        self.kept: list[tuple[str, int, str]] = []
        masks.connection.execute(
            "CREATE TABLE IF NOT EXISTS kept(entity VARCHAR, id INTEGER, segment VARCHAR)"
        )

    def __call__(self, connection: Connection, stage: Stage) -> None:
        """Bring member_contact and member_account up to date with a stage."""
        for name in stage.segments:
            rule = self.book.segments[name]
            if rule.stay is None:
                continue
            for number, since in self._candidates(connection, rule.of, name):
                if since is not None and self.clock < rule.may_leave_at(since, self.zone):
                    self.kept.append((rule.of, number, name))
        for entity in ENTITIES:
            if self.everyone:
                self._write(connection, entity)
            else:
                self._mend(connection, entity)

    def finish(self, connection: Connection) -> None:
        """Leave in `kept` who is in by their stay alone."""
        connection.execute("DELETE FROM kept")
        if self.kept:
            connection.executemany("INSERT INTO kept VALUES(?, ?, ?)", self.kept)

    def _candidates(
        self, connection: Connection, entity: Entity, segment: str
    ) -> Iterator[tuple[int, datetime | None]]:
        """Whom the rule lets go, and since when they are in."""
        bit = self.masks.bits[entity][segment]
        word, flag, key = f"w{bit // WORD}", f"{1 << (bit % WORD)}::UBIGINT", f"{entity}_id"
        if word not in self.masks.words(entity, "was"):
            rows: list[tuple[int]] = []
        elif self.everyone:
            rows = connection.execute(
                f"SELECT o.{key} FROM was_{entity} AS o "
                f"JOIN match_{entity} AS m ON m.{key} = o.{key} "
                f"WHERE o.{word} & ~m.{word} & {flag} <> 0 ORDER BY 1"
            ).fetchall()
        else:
            # An earlier stage may have made the mask anew: what it was is then kept aside.
            rows = connection.execute(
                f"SELECT o.{key} FROM member_{entity} AS o "
                f"JOIN match_{entity} AS m ON m.{key} = o.{key} "
                f"LEFT JOIN was_{entity} AS x ON x.{key} = o.{key} "
                f"WHERE coalesce(x.{word}, o.{word}) & ~m.{word} & {flag} <> 0"
                f"{self._among(entity)} ORDER BY 1"
            ).fetchall()
        alone = self.carried[entity].alone
        for (number,) in rows:
            if number not in alone:
                yield number, self.masks.ledger.membership.since(entity, segment, number)
        for number, since in alone.items():
            yield number, since.get(segment)

    def _among(self, entity: Entity) -> str:
        """Who moved in this run or in the log, and who was kept before."""
        late = ", ".join(str(one) for one in sorted(self._late(entity))) or "NULL"
        return (
            f" AND (o.{entity}_id IN (SELECT id FROM moved_{entity}) OR o.{entity}_id IN ({late}) "
            f"OR o.{entity}_id IN (SELECT id FROM kept WHERE entity = '{entity}'))"
        )

    def _late(self, entity: Entity) -> set[int]:
        return self.masks.late[entity] | self.carried[entity].alone.keys()

    def _stage_kept(self, entity: Entity) -> pa.Table:
        count = len(self.masks.words(entity, "match"))
        found: dict[int, list[int]] = {}
        for owner, number, segment in self.kept:
            if owner == entity:
                bit = self.masks.bits[entity][segment]
                found.setdefault(number, [0] * count)[bit // WORD] |= 1 << (bit % WORD)
        columns = {"id": pa.array(list(found), pa.int32())}
        for place in range(count):
            columns[f"w{place}"] = pa.array([mask[place] for mask in found.values()], pa.uint64())
        return pa.table(columns)

    def _select(self, entity: Entity) -> str:
        words = ", ".join(
            f"m.{word} | coalesce(k.{word}, 0::UBIGINT) AS {word}"
            for word in self.masks.words(entity, "match")
        )
        return (
            f"SELECT m.{entity}_id, {words} FROM match_{entity} AS m "
            f"LEFT JOIN stage_kept AS k ON k.id = m.{entity}_id"
        )

    def _write(self, connection: Connection, entity: Entity) -> None:
        connection.register("stage_kept", self._stage_kept(entity))
        connection.execute(f"CREATE OR REPLACE TABLE member_{entity} AS {self._select(entity)}")
        connection.unregister("stage_kept")

    def _mend(self, connection: Connection, entity: Entity) -> None:
        """Make anew the masks of those in moved_<entity>, and of all who may have been kept."""
        connection.register("stage_kept", self._stage_kept(entity))
        late = pa.table({"id": pa.array(sorted(self._late(entity)), pa.int32())})
        connection.register("late", late)
        insert(
            connection,
            f"moved_{entity}",
            "SELECT id FROM late UNION "
            f"SELECT id FROM kept WHERE entity = '{entity}' UNION SELECT id FROM stage_kept",
        )
        connection.unregister("late")
        self.masks.keep(entity)
        moved = f"SELECT id FROM moved_{entity}"
        connection.execute(f"DELETE FROM member_{entity} WHERE {entity}_id IN ({moved})")
        insert(
            connection,
            f"member_{entity}",
            f"{self._select(entity)} WHERE m.{entity}_id IN ({moved})",
        )
        connection.unregister("stage_kept")
