"""What stands around a company: its group, its people, what it uses, what it researches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audiencehub.insight.people import Connection

SHOWN = 8
"""Of each kind in the text; all of them as JSON."""
DEEPEST = 20
"""Levels of a group that are followed."""


@dataclass(frozen=True, slots=True)
class Company:
    """One company of a group."""

    id: int
    name: str
    level: int
    """Above 0: that many steps up; below 0: down."""


@dataclass(frozen=True, slots=True)
class Person:
    """One of the company's people, by what is known of the role."""

    id: int
    name: str
    title: str | None
    role: str
    """Role in purchases, seniority and department, as far as known."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What `explain` says of a company beside its segments."""

    parents: tuple[Company, ...]
    """From the nearest to the top."""
    children: tuple[Company, ...]
    """Everything below, nearest first."""
    people: tuple[Person, ...]
    """Those with the most to say first."""
    technologies: tuple[dict[str, Any], ...]
    """technology, category, last_detected_at, is_live; in use first."""
    intent: tuple[dict[str, Any], ...]
    """topic, score, period_start, period_end, source: the latest period of each topic and source,
    strongest first."""
    domain: str | None = None
    """By which sources know the company."""
    brought: frozenset[str] = frozenset()
    """Of technology_install and intent_signal, those that some source fills."""

    def json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {
            "parents": [{"id": one.id, "name": one.name} for one in self.parents],
            "children": [
                {"id": one.id, "name": one.name, "level": -one.level} for one in self.children
            ],
            "people": [
                {"id": one.id, "name": one.name, "title": one.title, "role": one.role}
                for one in self.people
            ],
            "technologies": list(self.technologies),
            "intent": list(self.intent),
        }

    def lines(self) -> list[str]:
        """For a person to read; what is unknown says so."""
        return [
            f"group: {self._group()}",
            f"people: {_listed([_person(one) for one in self.people], self._nobody())}",
            f"uses: {_listed([_technology(one) for one in self.technologies], self._without())}",
            f"researches: {_listed([_topic(one) for one in self.intent], self._silent())}",
        ]

    def _nobody(self) -> str:
        by = f"bring people with addresses at {self.domain}" if self.domain else "give it a domain"
        return f"nobody known -> link contacts to it in the CRM, or {by}"

    def _without(self) -> str:
        return self._nothing("technology_install", "technologies")

    def _silent(self) -> str:
        return self._nothing("intent_signal", "intent")

    def _nothing(self, table: str, what: str) -> str:
        if table not in self.brought:
            return f"no source brings {what} -> audiencehub connectors lists those that do"
        if self.domain is None:
            return "nothing known -> give the company a domain in the CRM: sources find it by that"
        return f"nothing known of {self.domain}"

    def _group(self) -> str:
        if not self.parents and not self.children:
            return "stands alone as far as any source says -> a parent is set in the CRM"
        above = " → ".join(one.name for one in self.parents)
        below = _listed([one.name for one in self.children], "")
        parts = [f"belongs to {above}" if above else "", f"owns {below}" if below else ""]
        return "; ".join(part for part in parts if part)


def surroundings(connection: Connection, account_id: int) -> Surroundings:
    """Group, people, technologies and intent of one account, from the published tables."""
    return Surroundings(
        _parents(connection, account_id),
        _children(connection, account_id),
        _people(connection, account_id),
        _dicts(connection, TECHNOLOGIES, account_id),
        _dicts(connection, INTENT, account_id),
        *_known(connection, account_id),
    )


TECHNOLOGIES = """
    SELECT technology, any_value(category) AS category,
           CAST(max(last_detected_at) AS VARCHAR) AS last_detected_at,
           bool_or(is_live) AS is_live
    FROM technology_install WHERE account_id = $id AND technology IS NOT NULL
    GROUP BY technology ORDER BY is_live DESC NULLS LAST, last_detected_at DESC, technology
"""
INTENT = """
    SELECT topic, score, CAST(period_start AS VARCHAR) AS period_start,
           CAST(period_end AS VARCHAR) AS period_end, source
    FROM intent_signal WHERE account_id = $id AND topic IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY topic, source ORDER BY period_end DESC NULLS LAST, score DESC, source_id
    ) = 1
    ORDER BY score DESC NULLS LAST, topic, source
"""
PARENTS = f"""
    WITH RECURSIVE up(id, level) AS (
        SELECT parent_account_id, 1 FROM account WHERE account_id = $id
        UNION ALL
        SELECT a.parent_account_id, up.level + 1
        FROM up JOIN account a ON a.account_id = up.id WHERE up.level < {DEEPEST}
    )
    SELECT a.account_id, coalesce(a.name, a.domain, 'account ' || a.account_id), up.level
    FROM up JOIN account a ON a.account_id = up.id ORDER BY up.level
"""
CHILDREN = f"""
    WITH RECURSIVE down(id, level) AS (
        SELECT account_id, 1 FROM account WHERE parent_account_id = $id
        UNION ALL
        SELECT a.account_id, down.level + 1
        FROM down JOIN account a ON a.parent_account_id = down.id WHERE down.level < {DEEPEST}
    )
    SELECT a.account_id, coalesce(a.name, a.domain, 'account ' || a.account_id), -down.level
    FROM down JOIN account a ON a.account_id = down.id ORDER BY down.level, 2, 1
"""
PEOPLE = """
    SELECT contact_id, concat_ws(' ', first_name, last_name), email, title,
           concat_ws(', ', buyer_role, seniority, department)
    FROM contact WHERE account_id = $id
    ORDER BY coalesce(list_position(
        ['owner', 'founder', 'c_suite', 'partner', 'vp', 'head', 'director', 'manager', 'senior'],
        seniority), 99), buyer_role NULLS LAST, title NULLS LAST, contact_id
"""


def _known(connection: Connection, account_id: int) -> tuple[str | None, frozenset[str]]:
    row = connection.execute(
        "SELECT (SELECT domain FROM account WHERE account_id = $id),"
        " EXISTS(FROM technology_install), EXISTS(FROM intent_signal)",
        {"id": account_id},
    ).fetchall()[0]
    tables = zip(("technology_install", "intent_signal"), row[1:], strict=True)
    return row[0], frozenset(name for name, filled in tables if filled)


def _parents(connection: Connection, account_id: int) -> tuple[Company, ...]:
    rows = connection.execute(PARENTS, {"id": account_id}).fetchall()
    return tuple(Company(*row) for row in rows)


def _children(connection: Connection, account_id: int) -> tuple[Company, ...]:
    rows = connection.execute(CHILDREN, {"id": account_id}).fetchall()
    return tuple(Company(*row) for row in rows)


def _people(connection: Connection, account_id: int) -> tuple[Person, ...]:
    rows = connection.execute(PEOPLE, {"id": account_id}).fetchall()
    return tuple(
        Person(number, name or email or f"person {number}", title, role.replace("_", " "))
        for number, name, email, title, role in rows
    )


def _dicts(connection: Connection, sql: str, account_id: int) -> tuple[dict[str, Any], ...]:
    cursor = connection.execute(sql, {"id": account_id})
    names = [column[0] for column in cursor.description or ()]
    return tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())


def _listed(parts: list[str], nothing: str) -> str:
    shown = "; ".join(parts[:SHOWN]) or nothing
    more = len(parts) - SHOWN
    return f"{shown}; and {more:,} more" if more > 0 else shown


def _person(one: Person) -> str:
    about = ", ".join(part for part in (one.title, one.role) if part)
    return f"{one.name} ({about})" if about else one.name


def _technology(one: dict[str, Any]) -> str:
    gone = "" if one["is_live"] in (True, None) else ", no longer"
    seen = f" since {one['last_detected_at'][:10]}" if gone and one["last_detected_at"] else ""
    return f"{one['technology']}{gone}{seen}"


def _topic(one: dict[str, Any]) -> str:
    score = "" if one["score"] is None else f" {one['score']:g}"
    until = f" until {one['period_end']}" if one["period_end"] else ""
    return f"{one['topic']}{score}{until}"
