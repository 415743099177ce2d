"""Case files: each test and leaf, true, false and unknown, on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audiencehub.rules import matches
from audiencehub.rules.language.form import FieldTest, walk
from audiencehub.rules.language.profile import profile_from_example
from audiencehub.rules.load.checks import OPERATORS
from audiencehub.rules.load.tree import plain, read
from tests.rules.kit import CLOCK, WIDE, ZONE, book, by_sql, segment, world_of

HERE = Path(__file__).parent / "cases"


def _load(name: str) -> list[dict[str, Any]]:
    tree, faults = read(name, (HERE / name).read_bytes())
    assert not faults
    return plain(tree)


FIELDS = _load("fields.yaml")
ROWS = [*_load("rows.yaml"), *_load("among.yaml")]


def _given(case: dict[str, Any], value: Any) -> dict[str, Any]:
    scope, _, name = case["on"].rpartition(".")
    return {scope or "contact": {name: value}}


def _judge(when: Any, of: str, described: list[tuple[dict[str, Any], bool]]) -> None:
    """Both engines say of each profile what is expected."""
    rule = segment(
        "case",
        when,
        of,
        examples=[{"given": given, "member": wanted} for given, wanted in described],
    )
    profiles = [profile_from_example(one.given, CLOCK, ZONE) for one in rule.examples]
    found = by_sql(book(rule), world_of(profiles), CLOCK)["case"]
    for number, (example, profile) in enumerate(zip(rule.examples, profiles, strict=True)):
        assert matches(rule, profile, CLOCK, ZONE) is example.member, f"plain: {example.given}"
        assert (number in found) is example.member, f"compiled: {example.given}"


@pytest.mark.parametrize("case", FIELDS, ids=lambda case: f"{case['on']}-{case['test']}")
def test_field(case):
    """A test on a field means the same in SQL, in Python and in its case file."""
    unknown = case.get("unknown", False)
    described = [(_given(case, value), True) for value in case["true"]]
    described += [(_given(case, value), False) for value in case["false"]]
    described += [(_given(case, None), unknown), ({}, unknown)]
    _judge({case["on"]: case["test"]}, "contact", described)


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case["name"])
def test_rows(case):
    """A leaf over facts, or a tree, means the same in SQL, in Python and in its case file."""
    described = [(given, True) for given in case["true"]]
    described += [(given, False) for given in case["false"]]
    _judge(case["when"], case.get("of", "contact"), [*described, ({}, case["none"])])


def test_every_operator_has_a_case():
    """An operator without a case could mean different things in two engines unseen."""
    covered = set()
    for case in FIELDS:
        rule = segment("case", {case["on"]: case["test"]})
        for node in walk(rule.when):
            assert isinstance(node, FieldTest)
            if case["true"] or case.get("unknown"):
                covered.update((node.type, check.op) for check in node.tests.checks)
    wanted = {(kind, op) for kind, ops in OPERATORS.items() for op in ops}

    # No field is of these: averages, trends and properties have cases in rows.yaml.
    missing = {pair for pair in wanted - covered if pair[0] not in ("decimal", "share", "json")}

    assert not missing
    assert WIDE.field("contact", "extra") is not None


def test_known_is_the_only_test_of_json():
    """A free-form value can be asked for, not looked into."""
    rule = segment("case", {"extra": {"known": False}})
    profile = profile_from_example({"contact": {}}, CLOCK, ZONE)

    assert matches(rule, profile, CLOCK, ZONE)
    assert by_sql(book(rule), world_of([profile]), CLOCK)["case"] == {0}
