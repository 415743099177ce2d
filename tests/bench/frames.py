"""The same rules on data frames, the way one would write them by hand: with pandas rule by rule,
and with polars as one lazy query. Only the kinds of condition that both say plainly."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pandas as pd
import polars as pl

from audiencehub.model import Entity
from audiencehub.rules.book import RuleBook
from audiencehub.rules.compile.bind import resolve
from audiencehub.rules.compile.checks import edges, point
from audiencehub.rules.language.catalog import BORN, DATED
from audiencehub.rules.language.form import (
    All,
    Any_,
    Check,
    FieldTest,
    Node,
    Not,
    Rows,
    SegmentRef,
    Tests,
)
from tests.bench.book import ZONE

COLUMNS = {
    "contact": "contact_id, account_id, title, seniority, department, lifecycle_stage, country, "
    "birth_date, created_at",
    "account": "account_id, industry, employee_count, annual_revenue::DOUBLE AS annual_revenue, "
    "type, country",
    "event": 'contact_id, name, "at", path, value',
    "order": 'contact_id, "at", total::DOUBLE AS total, status',
    "deal": "account_id, amount::DOUBLE AS amount, is_won, is_closed, close_date, created_at",
    "technology_install": "account_id, technology, category, first_detected_at, is_live",
    "intent_signal": "account_id, topic, score, period_start, period_end",
}


def load(path: str, kind: str) -> dict[str, Any]:
    """The tables in memory, text as categories where pandas would be lost without."""
    with duckdb.connect(path, read_only=True) as connection:
        found = {}
        for table, columns in COLUMNS.items():
            rows = connection.sql(f'SELECT {columns} FROM "{table}"')
            found[table] = rows.pl() if kind == "polars" else rows.df()
    return found


def _point(at: Any, clock: datetime, kind: str) -> Any:
    return resolve(point(at, kind), clock, ZONE)


class Pandas:
    """One rule after the other; nothing is shared between them."""

    def __init__(self, tables: dict[str, pd.DataFrame], book: RuleBook, clock: datetime) -> None:
        self.tables, self.book, self.clock = tables, book, clock
        self.naive = clock.astimezone(UTC).replace(tzinfo=None)
        self.today = clock.astimezone(ZONE).date()
        self.members: dict[str, Any] = {}

    def run(self) -> dict[str, int]:
        """The size of each segment."""
        for names in self.book.order():
            for name in names:
                one = self.book.segments[name]
                self.members[name] = self.node(one.when, one.of)
        return {name: int(mask.sum()) for name, mask in self.members.items()}

    def node(self, node: Node, of: Entity) -> Any:
        """A mask over the rows of the entity."""
        if isinstance(node, All | Any_):
            masks = [self.node(one, of) for one in node.parts]
            result = masks[0]
            for mask in masks[1:]:
                result = result & mask if isinstance(node, All) else result | mask
            return result
        if isinstance(node, Not):
            return ~self.node(node.part, of)
        if isinstance(node, SegmentRef):
            found = self.members[node.segment]
            return self.spread(found, of, self.book.segments[node.segment].of)
        if isinstance(node, FieldTest):
            scope: Entity = "account" if node.scope == "account" else "contact"
            mask = self.tests(self.tables[scope][node.field], node.tests, node.type)
            return self.spread(mask, of, scope)
        assert isinstance(node, Rows), type(node).__name__
        return self.spread(self.rows(node), of, node.owner)

    def spread(self, mask: Any, of: Entity, scope: Entity) -> Any:
        """A mask over accounts as one over contacts."""
        if of == scope:
            return mask
        ids = self.tables["account"]["account_id"][mask]
        return self.tables["contact"]["account_id"].isin(ids)

    def rows(self, node: Rows) -> Any:
        """A mask over the owner's rows."""
        frame, key = self.tables[node.table], f"{node.owner}_id"
        if node.table == "intent_signal":
            day = pd.Series(pd.Timestamp(self.today), index=frame.index)
            dated = frame["period_end"].where(frame["period_end"] <= day, day)
            keep = frame["period_start"] <= pd.Timestamp(self.today)
        else:
            dated, keep = frame[DATED[node.table]], frame[BORN[node.table]] <= self.naive
        if node.window is not None:
            kind = "date" if node.table in ("deal", "intent_signal") else "instant"
            keep = keep & self.tests(dated, node.window, kind)
        if node.where is not None:
            keep = keep & self.where(node.where, frame)
        kept = frame[keep]
        if key not in kept:
            people = self.tables["contact"][["contact_id", "account_id"]]
            kept = kept.merge(people, on="contact_id")
        of, how = node.aggregate.of, node.aggregate.how
        groups = kept.groupby(key)
        if how == "count":
            value = groups.size()
        elif of == "day":
            local = kept["at"].dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.date
            value = local.groupby(kept[key]).nunique()
        else:
            value = groups[of].agg({"average": "mean", "last": "max"}.get(how, how))
        ids = self.tables[node.owner][key]
        found = ids.map(value)
        if how in ("count", "distinct", "sum"):
            found = found.fillna(0)
        return self.tests(found, node.aggregate.tests, node.aggregate.type)

    def where(self, node: Node, frame: Any) -> Any:
        """A mask over rows of facts."""
        if isinstance(node, All):
            result = self.where(node.parts[0], frame)
            for one in node.parts[1:]:
                result = result & self.where(one, frame)
            return result
        assert isinstance(node, FieldTest)
        return self.tests(frame[node.field], node.tests, node.type)

    def tests(self, column: Any, tests: Tests, kind: str) -> Any:
        """All checks on a column."""
        result = self.check(column, tests.checks[0], kind)
        for one in tests.checks[1:]:
            result = result & self.check(column, one, kind)
        return result.fillna(False).astype(bool)

    def check(self, column: Any, check: Check, kind: str) -> Any:
        """One check."""
        op, value = check.op, check.value
        if op == "known":
            return column.notna() if value else column.isna()
        if op in ("within", "older_than", "next", "before", "after") or isinstance(value, date):
            edge, keep = edges(check), column.notna()
            if edge.start is not None:
                keep &= column >= pd.Timestamp(_point(edge.start, self.clock, kind))
            if edge.end is not None:
                keep &= column < pd.Timestamp(_point(edge.end, self.clock, kind))
            return keep
        many = [_plain(one) for one in (value if isinstance(value, tuple) else (value,))]
        if op in ("is", "any_of"):
            return column.isin(many)
        if op == "between":
            return column.between(many[0], many[1])
        if op in ("contains", "starts_with", "matches"):
            text = column.str
            calls = {"contains": lambda x: text.contains(x, regex=False),
                     "starts_with": text.startswith,
                     "matches": lambda x: text.contains(x, regex=True)}  # fmt: skip
            return calls[op](many[0])
        compare = {"at_least": "ge", "more_than": "gt", "at_most": "le", "less_than": "lt"}
        return getattr(column, compare[op])(many[0])


def _plain(value: Any) -> Any:
    return float(value) if hasattr(value, "as_tuple") else value


class Polars:
    """One lazy query over all rules; polars shares what it finds to be common."""

    def __init__(self, tables: dict[str, pl.DataFrame], book: RuleBook, clock: datetime) -> None:
        self.tables, self.book, self.clock = tables, book, clock
        self.naive = clock.astimezone(UTC).replace(tzinfo=None)
        self.today = clock.astimezone(ZONE).date()
        self.leaves: dict[Any, str] = {}
        self.joins: dict[Entity, list[tuple[str, pl.LazyFrame, Rows]]] = {
            "contact": [],
            "account": [],
        }

    def run(self) -> dict[str, int]:
        """The size of each segment."""
        sizes: dict[str, int] = {}
        rules = {n: self.node(s.when, s.of) for n, s in self.book.segments.items()}
        account = self.joined("account", {})
        shared = [pl.col("account_id"), *self.exported("account", rules, account)]
        contact = self.joined("contact", {}).join(
            account.select(shared), on="account_id", how="left"
        )
        masks: dict[Entity, pl.LazyFrame] = {"account": account, "contact": contact}
        out: list[pl.LazyFrame] = []
        for entity in ("account", "contact"):
            frame = masks[entity]  # type: ignore[index]
            names = [n for n, s in self.book.segments.items() if s.of == entity]
            for stage in self.book.order():
                own = [n for n in stage if n in names]
                if own:
                    frame = frame.with_columns(**{n: rules[n].fill_null(value=False) for n in own})
            out.append(frame.select([pl.col(n).sum() for n in names]))
        for found in pl.collect_all(out):
            sizes.update(found.row(0, named=True))
        return {name: int(count) for name, count in sizes.items()}

    def exported(self, _: str, rules: dict[str, pl.Expr], __: Any) -> list[pl.Expr]:
        """What contact rules read of the account: fields, aggregates, and account segments."""
        fields = [c for c in self.tables["account"].columns if c != "account_id"]
        found = [pl.col(one).alias(f"a_{one}") for one in fields]
        found += [pl.col(name) for name, _, _ in self.joins["account"]]
        return found + [rules[n].fill_null(value=False).alias(n) for n, s in
                        self.book.segments.items() if s.of == "account"]  # fmt: skip

    def joined(self, entity: Entity, _: Any) -> pl.LazyFrame:
        """The entity with a column per aggregate."""
        frame, key = self.tables[entity].lazy(), f"{entity}_id"
        for name, values, node in self.joins[entity]:
            frame = frame.join(values, on=key, how="left")
            if node.aggregate.how in ("count", "distinct", "sum"):
                frame = frame.with_columns(pl.col(name).fill_null(0))
        return frame

    def node(self, node: Node, of: Entity) -> pl.Expr:
        """The condition as an expression over the joined frame."""
        if isinstance(node, All | Any_):
            parts = [self.node(one, of) for one in node.parts]
            return pl.all_horizontal(parts) if isinstance(node, All) else pl.any_horizontal(parts)
        if isinstance(node, Not):
            return ~self.node(node.part, of).fill_null(value=False)
        if isinstance(node, SegmentRef):
            return pl.col(node.segment).fill_null(value=False)
        if isinstance(node, FieldTest):
            away = node.scope == "account" and of == "contact"
            column = pl.col(f"a_{node.field}" if away else node.field)
            return self.tests(column, node.tests, node.type)
        assert isinstance(node, Rows), type(node).__name__
        key = (
            node.owner,
            node.table,
            node.where,
            node.window,
            node.aggregate.how,
            node.aggregate.of,
        )
        if key not in self.leaves:
            self.leaves[key] = f"x{len(self.leaves)}"
            self.joins[node.owner].append(
                (self.leaves[key], self.rows(node, self.leaves[key]), node)
            )
        column = pl.col(self.leaves[key])
        if node.aggregate.how in ("count", "distinct", "sum"):
            column = column.fill_null(0)
        return self.tests(column, node.aggregate.tests, node.aggregate.type)

    def rows(self, node: Rows, name: str) -> pl.LazyFrame:
        """One aggregate by owner."""
        frame, key = self.tables[node.table].lazy(), f"{node.owner}_id"
        if node.table == "intent_signal":
            frame = frame.filter(pl.col("period_start") <= self.today)
            dated: pl.Expr = pl.min_horizontal(pl.col("period_end"), pl.lit(self.today))
        else:
            frame = frame.filter(pl.col(BORN[node.table]) <= self.naive)
            dated = pl.col(DATED[node.table])
        if node.window is not None:
            kind = "date" if node.table in ("deal", "intent_signal") else "instant"
            frame = frame.filter(self.tests(dated, node.window, kind))
        if node.where is not None:
            frame = frame.filter(self.where(node.where))
        if key not in self.tables[node.table].columns:
            people = self.tables["contact"].lazy().select("contact_id", "account_id")
            frame = frame.join(people, on="contact_id")
        of, how = node.aggregate.of, node.aggregate.how
        if how == "count":
            value = pl.len()
        elif of == "day":
            day = pl.col("at").dt.replace_time_zone("UTC").dt.convert_time_zone(ZONE.key)
            value = day.dt.date().n_unique()
        else:
            value = getattr(pl.col(of), {"average": "mean", "last": "max"}.get(how, how))()
        return frame.group_by(key).agg(value.alias(name))

    def where(self, node: Node) -> pl.Expr:
        """A condition on rows of facts."""
        if isinstance(node, All):
            return pl.all_horizontal([self.where(one) for one in node.parts])
        assert isinstance(node, FieldTest)
        return self.tests(pl.col(node.field), node.tests, node.type)

    def tests(self, column: pl.Expr, tests: Tests, kind: str) -> pl.Expr:
        """All checks on a column; unknown is false."""
        found = [self.check(column, one, kind) for one in tests.checks]
        return pl.all_horizontal(found).fill_null(value=False)

    def check(self, column: pl.Expr, check: Check, kind: str) -> pl.Expr:
        """One check."""
        op, value = check.op, check.value
        if op == "known":
            return column.is_not_null() if value else column.is_null()
        if op in ("within", "older_than", "next", "before", "after") or isinstance(value, date):
            edge, keep = edges(check), pl.lit(value=True)
            if edge.start is not None:
                keep &= column >= pl.lit(_point(edge.start, self.clock, kind))
            if edge.end is not None:
                keep &= column < pl.lit(_point(edge.end, self.clock, kind))
            return keep
        many = [_plain(one) for one in (value if isinstance(value, tuple) else (value,))]
        if op in ("is", "any_of"):
            return column.is_in(many)
        if op == "between":
            return column.is_between(many[0], many[1])
        if op in ("contains", "starts_with", "matches"):
            text = column.str
            calls = {"contains": lambda x: text.contains(x, literal=True),
                     "starts_with": text.starts_with, "matches": text.contains}  # fmt: skip
            return calls[op](many[0])
        compare = {"at_least": "ge", "more_than": "gt", "at_most": "le", "less_than": "lt"}
        return getattr(column, compare[op])(many[0])


__all__ = ["Pandas", "Polars", "load"]
