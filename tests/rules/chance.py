"""Random rules, companies and clocks, from one seed, close enough to each other to collide."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from audiencehub.rules.language.catalog import DATED, FACTS, INSTALLS, TABLE_OF, spoken
from audiencehub.rules.load.checks import OPERATORS
from audiencehub.testing.world import World
from tests.rules.kit import WIDE
from tests.rules.moving import moving

ZONES = tuple(
    ZoneInfo(name)
    for name in ("America/New_York", "UTC", "Asia/Kolkata", "Pacific/Auckland", "Asia/Beirut")
)
START = datetime(2025, 10, 20, tzinfo=UTC)
TEXTS = ("", "a", "ab", "Ab", "b a", "/pricing", "/pricing/x", "é", "login")
PATTERNS = ("^a", "b$", "[a-c]+", "(?i)AB", "a.?b", "\\w", "^$", "pri|log", "[^/]")
SPANS = ("1 day", "2 days", "1 week", "1 month", "5 months", "1 year", "3 hours", "90 minutes")
SPOILED = ("email", "phone")
TESTED = {
    "contact": (
        "title",
        "country",
        "is_test",
        "birth_date",
        "created_at",
        "weight",
        "interests",
        "custom_vip",
    ),
    "account": ("industry", "employee_count", "annual_revenue", "created_at", "custom_tier"),
    "event": ("name", "at", "path", "channel", "value"),
    "order": ("at", "total", "quantity", "status"),
    "order_line": ("at", "sku", "category", "quantity", "price"),
    "deal": ("amount", "stage", "is_closed", "close_date", "created_at"),
    "ticket": ("category", "status", "created_at", "solved_at", "csat"),
    "subscription": ("plan", "status", "mrr", "quantity", "started_at", "renews_at"),
    "survey_answer": ("survey", "kind", "score", "at"),
    "email_engagement": ("action", "campaign", "at"),
    "technology_install": (
        "technology",
        "category",
        "first_detected_at",
        "last_detected_at",
        "is_live",
    ),
    "intent_signal": ("topic", "score", "period_start", "period_end"),
}

SCOPES = ("contact", "account")
PLACES: dict[str, tuple[Any, ...]] = {
    "country": (None, "US", "DE", "JP", "XX", "a"),
    "latitude": (None, 52.5, 52.4, -36.8, -37.5, 90.0, 0.0, 91.0),
    "longitude": (None, 13.4, 13.1, 174.7, -179.9, 180.0, 0.0),
    "timezone": (None, "Europe/Berlin", "Asia/Tokyo", "America/New_York", "Mars/Olympus", ""),
}


class Chance:
    """Draws everything from one random source."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.zone = self.random.choice(ZONES)
        self.clock = START + timedelta(minutes=self.random.randrange(0, 400 * 24 * 60, 30))

    def value(self, kind: str) -> Any:
        """A value that a field of that type may hold; None now and then."""
        pick = self.random
        if pick.random() < 0.2:
            return None
        day = self.clock.date() + timedelta(
            days=pick.choice((-400, -31, -30, -7, -2, -1, 0, 1, 2, 30))
        )
        return {
            "text": lambda: pick.choice(TEXTS),
            "texts": lambda: tuple(pick.sample(TEXTS, pick.randrange(3))),
            "integer": lambda: pick.randrange(-1, 5),
            "number": lambda: pick.choice((-0.5, 0.0, 0.1, 0.25, 0.5, 1.0, 2.5)),
            "money": lambda: Decimal(pick.randrange(-2, 6)) / 2,
            "boolean": lambda: pick.random() < 0.5,
            "date": lambda: day,
            "instant": lambda: self._instant(day),
            "json": lambda: None,
        }[kind]()

    def _instant(self, day: date) -> datetime:
        pick = self.random
        if pick.random() < 0.3:
            return self.clock + timedelta(minutes=pick.choice((-180, -90, -30, 0, 30, 180)))
        at = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return (at + timedelta(minutes=pick.choice((-1, 0, 1, 700)))).astimezone(UTC)

    def world(self) -> World:
        """A dozen people, half a dozen accounts, some facts; some links lead nowhere."""
        pick = self.random
        accounts = {n: self._row("account") for n in range(10, 15)}
        contacts = {
            n: {**self._row("contact"), "account_id": pick.choice([None, 99, *accounts])}
            for n in range(1, 13)
        }
        facts = {}
        for table in FACTS:
            facts[table] = [
                {
                    **self._row(table),
                    # Few have many, so that what takes several rows happens.
                    "contact_id": pick.choice([None, 98, 1, 1, 2, 2, 3, 3, *contacts]),
                    "account_id": pick.choice([None, None, 99, 10, 10, 11, *accounts]),
                }
                for _ in range(pick.randrange(25))
            ]
        facts["stay"] = self._stays()
        unfilled = frozenset(pick.sample(FACTS, pick.choice((0, 0, 1, 3))))
        return World(contacts, accounts, facts, unfilled)

    def _row(self, table: str) -> dict[str, Any]:
        kinds = {one.name: one.type for one in WIDE.tables[table].fields}
        row = {name: self.value(kinds[name]) for name in TESTED[table]}
        if table in ("contact", "account"):
            for name, values in PLACES.items():
                row[name] = self.random.choice(values)
        if table == "contact" and self.random.random() < 0.3:
            row["birth_date"] = date(self.random.choice((1996, 2000, 2024)), 2, 29)
        return row

    def rule(self, of: str, others: list[tuple[str, str]], depth: int = 3) -> dict[str, Any]:
        """A condition; `others` are (name, of) of segments it may refer to."""
        pick = self.random
        draw = pick.random()
        if depth and draw < 0.35:
            parts = [self.rule(of, others, depth - 1) for _ in range(pick.randrange(1, 4))]
            return {pick.choice(("all", "any")): parts}
        if depth and draw < 0.45:
            return {"not": self.rule(of, others, depth - 1)}
        usable = [name for name, kind in others if kind == "account" or of == "contact"]
        if usable and draw < 0.55:
            return {"segment": pick.choice(usable)}
        if draw < 0.57:
            return {"match_all": True}
        if draw < 0.61 and of == "account":
            return self._crew(others, depth)
        if draw < 0.78:
            scope = "account" if of == "account" else pick.choice(("contact", "account"))
            return self._field(scope, dotted=True)
        if draw < 0.83:
            return self._rank(of)
        if draw < 0.88:
            return self._occasion(of)
        if draw < 0.91 and usable:
            return self._past(pick.choice(usable))
        if draw < 0.93:
            return self._near(of)
        return self._leaf()

    def _crew(self, others: list[tuple[str, str]], depth: int) -> dict[str, Any]:
        pick = self.random
        match = pick.choice(("any", "all", "none", {"at_least": pick.randrange(1, 4)}))
        where = self.rule("contact", others, min(depth, 1))
        return {"contacts": {"match": match, "where": where}}

    def _past(self, segment: str) -> dict[str, Any]:
        pick = self.random
        event = pick.choice(("was_in", "entered", "left"))
        if pick.random() < 0.3:
            return {event: segment}
        op = pick.choice(("within", "older_than", "before", "after", "between"))
        return {event: {"segment": segment, op: self._literal(op, "instant")}}

    def _near(self, of: str) -> dict[str, Any]:
        pick = self.random
        body = {
            "latitude": pick.choice((52.52, -36.85, 0, 90)),
            "longitude": pick.choice((13.4, 179.9, -180)),
            "within": pick.choice(("0.5 km", "20 km", "300 mi", "9000 km", "20000 km")),
        }
        return {"near": body if of == "account" else {**body, "of": pick.choice(SCOPES)}}

    def _stays(self) -> list[dict[str, Any]]:
        pick = self.random
        found = []
        for _ in range(pick.randrange(60)):
            entity = pick.choice(SCOPES)
            first, last = (self.value("instant") for _ in range(2))
            times = sorted(one for one in (first, last) if one is not None)
            if times:
                ids = range(10, 15) if entity == "account" else range(1, 13)
                found.append(
                    {
                        "entity": entity,
                        "id": pick.choice(ids),
                        "segment": f"s{pick.randrange(12):03d}",
                        "entered_at": times[0],
                        "left_at": times[1] if len(times) == 2 else None,
                    }
                )
        return found

    def _occasion(self, of: str) -> dict[str, Any]:
        pick = self.random
        when = {
            pick.choice(("next", "within")): pick.choice(
                ("1 day", "2 days", "2 weeks", "1 month", "11 months", "1 year")
            )
        }
        kind = pick.choice(("holiday", "yearly", "local_time"))
        if kind == "holiday":
            names = pick.choice(("any", "christmas_day", ["new_years_day", "labor_day"]))
            country = {"country": "DE"} if pick.random() < 0.1 else {}
            return {"occasion": {"holiday": names, **country, **when}}
        if kind == "yearly":
            own = ("birth_date", "created_at", "account.created_at")
            return {
                "occasion": {"yearly": pick.choice(own if of == "contact" else own[2:]), **when}
            }
        days = pick.choice(("weekdays", "weekend", ["monday", "saturday"]))
        hours = pick.choice(((), ("09:00", "17:00"), ("22:30", "06:00"), ("00:00", "24:00")))
        body = {"days": days, **dict(zip(("from", "until"), hours, strict=False))}
        return {"occasion": {"local_time": body}}

    def _rank(self, of: str) -> dict[str, Any]:
        pick = self.random
        scope = "account" if of == "account" else pick.choice(("contact", "account"))
        by = {
            "contact": ("weight", "birth_date", "created_at"),
            "account": ("employee_count", "annual_revenue", "created_at"),
        }[scope]
        size = pick.choice((1, 2, 3, 5, 20, "10%", "25%", "33.3%", "50%", "100%"))
        body = {"by": f"{scope}.{pick.choice(by)}", pick.choice(("top", "bottom")): size}
        groups = {
            "contact": ("account", "contact.country", "contact.is_test", "account.industry"),
            "account": ("account.industry", "account.employee_count"),
        }[scope]
        if pick.random() < 0.5:
            body["within"] = pick.choice(groups)
        return {"rank": body}

    def _field(self, table: str, *, dotted: bool = False) -> dict[str, Any]:
        name = self.random.choice(TESTED[table])
        kind = next(one.type for one in WIDE.tables[table].fields if one.name == name)
        return {f"{table}.{spoken(name)}" if dotted else name: self.tests(kind)}

    def tests(self, kind: str, *, unknown: bool = True) -> Any:
        """One or two tests on a type."""
        pick = self.random
        ops = pick.sample(OPERATORS[kind], pick.choice((1, 1, 1, 2)))
        found = {op: self._literal(op, kind) for op in ops}
        if unknown and pick.random() < 0.2:
            found["or_unknown"] = True
        return found

    def _literal(self, op: str, kind: str) -> Any:
        pick = self.random
        if op == "known":
            return pick.random() < 0.5
        if op == "matches":
            return pick.choice(PATTERNS)
        if op in ("within", "older_than", "next"):
            spans = SPANS if kind == "instant" else SPANS[:6]
            return pick.choice(spans)
        if op in ("any_of", "none_of"):
            return [self._one(kind) for _ in range(pick.randrange(1, 4))]
        if op == "between":
            return sorted((self._one(kind), self._one(kind)))
        return self._one(kind)

    def _one(self, kind: str) -> Any:
        pick = self.random
        if kind in ("date", "instant"):
            return (
                self.clock.date() + timedelta(days=pick.choice((-31, -30, -7, -1, 0, 1, 30)))
            ).isoformat()
        return {
            "text": lambda: pick.choice(TEXTS),
            "texts": lambda: pick.choice(TEXTS),
            "integer": lambda: pick.randrange(-1, 5),
            "number": lambda: pick.choice((-0.5, 0, 0.1, 0.25, 0.5, 1, 2.5)),
            "decimal": lambda: pick.choice((-1, 0, 0.1, 0.25, 0.5, 0.75, 1, 2)),
            "money": lambda: pick.randrange(-2, 8) / 4,
            "share": lambda: pick.choice((-1, -0.5, -0.25, 0, 0.333, 0.5, 1, 2)),
            "boolean": lambda: pick.random() < 0.5,
        }[kind]()

    def _leaf(self) -> dict[str, Any]:
        pick = self.random
        if pick.random() < 0.3:
            return moving(self)
        leaf = pick.choice(tuple(TABLE_OF))
        table = TABLE_OF[leaf]
        body: dict[str, Any] = {}
        if leaf in INSTALLS:
            body["technology"] = self.tests("text")
            if pick.random() < 0.4:
                body["since"] = self.tests("instant")
            return {leaf: body}
        if leaf == "intent":
            body["score"] = self.tests("number")
        if leaf == "event" and pick.random() < 0.5:
            body["name"] = pick.choice(("a", "login", ["a", "b a"]))
        if pick.random() < 0.6:
            body["where"] = self._where(table, 2)
        if pick.random() < 0.6:
            kind = "date" if leaf in ("deal", "intent") else "instant"
            ops = ["within", "older_than", "before", "after", "between"]
            op = pick.choice([*ops, "next"] if leaf == "deal" else ops)
            body[op] = self._literal(op, kind)
        if leaf != "intent" and pick.random() < 0.75:
            body.update(self._aggregate(table))
        return {leaf: body}

    def _where(self, table: str, depth: int) -> dict[str, Any]:
        pick = self.random
        if depth and pick.random() < 0.3:
            parts = [self._where(table, depth - 1) for _ in range(2)]
            return {pick.choice(("all", "any")): parts}
        if depth and pick.random() < 0.2:
            return {"not": self._where(table, depth - 1)}
        return self._field(table)

    def numeric(self, table: str) -> list[str]:
        """Fields of a table that can be added up."""
        kinds = {one.name: one.type for one in WIDE.tables[table].fields}
        return [one for one in TESTED[table] if kinds[one] in ("integer", "money", "number")]

    def simple(self, table: str) -> list[str]:
        """Fields of a table whose values can be told apart."""
        return list(TESTED[table])

    def _aggregate(self, table: str) -> dict[str, Any]:
        pick = self.random
        kinds = {one.name: one.type for one in WIDE.tables[table].fields}
        numeric = self.numeric(table)
        how = pick.choice(("count", "sum", "min", "max", "average", "distinct", "first", "last"))
        if how == "count" or (how in ("sum", "average") and not numeric):
            return {"count": self.tests("integer")}
        if how in ("sum", "average"):
            of = pick.choice(numeric)
            kind = "money" if kinds[of] == "money" else "decimal"
            if how == "sum" and kinds[of] == "integer":
                kind = "integer"
        elif how in ("min", "max"):
            of = pick.choice([*numeric, DATED[table]])
            kind = kinds[of]
        elif how == "distinct":
            of, kind = pick.choice([*TESTED[table], "day"]), "integer"
        else:
            of = pick.choice(TESTED[table])
            kind = kinds[of]
        return {how: {"of": of, **self.tests(kind)}}
