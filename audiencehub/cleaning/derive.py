"""Fields that follow from others of the same row, where a source does not give them itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audiencehub.cleaning.company import company_norm
from audiencehub.cleaning.job import department_of, seniority_of
from audiencehub.cleaning.mail import email_domain, mail_company_domain
from audiencehub.cleaning.place import only_timezone
from audiencehub.cleaning.size import employee_band
from audiencehub.cleaning.technology import category_of

Values = Mapping[str, Any]
Rule = tuple[str, str, Callable[[Any, Values], Any]]

_RULES: Mapping[str, tuple[Rule, ...]] = {
    "contact": (
        ("email_domain", "email", lambda value, _: email_domain(value)),
        ("company_domain", "email", lambda value, _: mail_company_domain(value)),
        ("seniority", "title", lambda value, row: seniority_of(value, row.get("industry"))),
        ("department", "title", lambda value, _: department_of(value)),
        ("timezone", "country", lambda value, _: only_timezone(value)),
    ),
    "account": (
        ("name_norm", "name", lambda value, _: company_norm(value)),
        ("employee_range", "employee_count", lambda value, _: employee_band(value)),
        ("timezone", "country", lambda value, _: only_timezone(value)),
    ),
    "technology_install": (("category", "technology", lambda value, _: category_of(value)),),
}
"""By table: the field, the field that it follows from, and how."""


def derive(table_name: str, values: Values) -> dict[str, Any]:
    """What follows from the clean values of one row, for fields that are absent there: a new
    mapping, without the values themselves, and without what does not follow."""
    found: dict[str, Any] = {}
    for name, source, rule in _RULES.get(table_name, ()):
        if values.get(name) in (None, "") and values.get(source) not in (None, ""):
            value = rule(values[source], values)
            if value not in (None, ""):
                found[name] = value
    return found
