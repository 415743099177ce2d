"""The validator sees what `prefect deploy` lets pass silently."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from audiencehub.errors import Fault
from audiencehub.server.prefect_yaml import read

ROOT = Path(__file__).parents[2]
VARIABLES = {
    "AUDIENCEHUB_HOME": "/srv/hub",
    "AUDIENCEHUB_ENV": "prod",
    "AUDIENCEHUB_TIMEZONE": "America/New_York",
    "AUDIENCEHUB_WORK_POOL": "hub-local",
}


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A copy of the shipped file with its flows, to spoil."""
    shutil.copy(ROOT / "prefect.yaml", tmp_path)
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    return tmp_path


def spoil(root: Path, old: str, new: str, variables: dict[str, str] = VARIABLES) -> list[Fault]:
    path = root / "prefect.yaml"
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new, 1))
    return read(root, variables)[1]


def test_the_shipped_file_has_no_faults() -> None:
    """If this fails, `audiencehub up` refuses the file that we ship."""
    document, faults = read(ROOT, VARIABLES)

    assert faults == []
    assert document is not None
    assert [one.name for one in document.deployments] == [
        "sync-hourly",
        "sync-nightly-full",
        "enrich-weekly",
        "apply-plan",
        "maintenance-daily",
    ]
    limits = {one.name: one.concurrency_limit for one in document.deployments}
    assert {limit.limit for limit in limits.values()} == {1}
    assert limits.pop("apply-plan").collision_strategy == "ENQUEUE"
    assert {limit.collision_strategy for limit in limits.values()} == {"CANCEL_NEW"}
    zones = {s.timezone for one in document.deployments for s in one.schedules}
    assert zones == {"America/New_York"}


CASES = {
    "misspelt key": (
        "  concurrency_limit: *one_at_a_time",
        "  concurency_limit: *one_at_a_time",
        "deployments.0.concurency_limit is not a key of prefect.yaml",
        "Did you mean concurrency_limit?",
    ),
    "misspelt key in a schedule": (
        '{slug: hourly, cron: "5 * * * *", timezone:',
        '{slug: hourly, cron: "5 * * * *", time_zone:',
        "deployments.0.schedules.0.time_zone is not a key of prefect.yaml",
        "Did you mean timezone?",
    ),
    "unknown parameter": (
        "full: true}\n  schedules:\n  - {slug: nightly",
        "ful: true}\n  schedules:\n  - {slug: nightly",
        "the flow sync takes no parameter 'ful'",
        "Did you mean full?",
    ),
    "unknown parameter of a trigger": (
        '      plan: "{{ event.payload.plan }}"',
        '      plans: "{{ event.payload.plan }}"',
        "the flow apply_plan takes no parameter 'plans'",
        "Did you mean plan?",
    ),
    "parameter of another kind": (
        "full: true}\n  schedules:\n  - {slug: nightly",
        "full: sometimes}\n  schedules:\n  - {slug: nightly",
        "parameter full of sync is str, and should be bool",
        "",
    ),
    "list where a word is due": (
        "only: [builtwith]",
        "only: builtwith",
        "parameter only of sync is str, and should be list[str] | None",
        "",
    ),
    "no such flow": (
        "flows/maintain.py:maintain",
        "flows/maintain.py:maintian",
        "flows/maintain.py:maintian: flows/maintain.py has no function maintian",
        "",
    ),
    "a function that is no flow": (
        "flows/maintain.py:maintain",
        "flows/maintain.py:keep",
        "flows/maintain.py:keep: keep is not a flow",
        "",
    ),
    "no such file": (
        "flows/maintain.py:maintain",
        "flows/upkeep.py:maintain",
        "flows/upkeep.py:maintain: there is no file flows/upkeep.py",
        "",
    ),
    "bad cron": ('"15 2 * * *"', '"15 25 * * *"', "'15 25 * * *' is no cron line: Bad hour", ""),
    "cron with six fields": (
        '"15 2 * * *"',
        '"0 15 2 * * *"',
        "'0 15 2 * * *' is no cron line: it has five fields: minute hour day month weekday",
        "",
    ),
    "bad time zone": (
        'cron: "15 2 * * *", timezone: "{{ $AUDIENCEHUB_TIMEZONE }}"',
        'cron: "15 2 * * *", timezone: America/NewYork',
        "'America/NewYork' is no IANA time zone",
        "Did you mean America/New_York?",
    ),
    "unset variable": (
        "$AUDIENCEHUB_TIMEZONE",
        "$AUDIENCEHUB_TIMEZON",
        "$AUDIENCEHUB_TIMEZON is not set and would stay as text",
        "Did you mean AUDIENCEHUB_TIMEZONE?",
    ),
    "active": (
        "{slug: nightly,",
        "{slug: nightly, active: true,",
        "deployments.1.schedules.0.active would undo a pause",
        "Remove it",
    ),
    "duplicate key": (
        "  entrypoint: flows/maintain.py:maintain",
        "  entrypoint: flows/maintain.py:maintain\n  entrypoint: flows/sync.py:sync",
        "entrypoint is there twice",
        "Remove one",
    ),
    "duplicate name": (
        "- name: maintenance-daily",
        "- name: sync-hourly",
        "deployment sync-hourly is there twice",
        "Rename one",
    ),
    "no tag": (
        "tags: [audiencehub, ",
        "tags: [",
        "sync-hourly lacks the tag audiencehub",
        "Add it to tags",
    ),
    "a parameter that nobody gives": (
        '      plan: "{{ event.payload.plan }}"',
        "",
        "the flow apply_plan needs parameter 'plan' here",
        "",
    ),
}


@pytest.mark.parametrize(("old", "new", "message", "hint"), CASES.values(), ids=CASES)
def test_a_fault_is_named_with_its_line(
    shipped: Path, old: str, new: str, message: str, hint: str
) -> None:
    """If this fails, the fault deploys with status 0 and shows at two in the morning."""
    line = (shipped / "prefect.yaml").read_text().split(old)[0].count("\n") + 1

    faults = spoil(shipped, old, new)

    found = [fault for fault in faults if fault.message.startswith(message)]
    assert found, faults
    assert found[0].hint == hint
    assert found[0].path == "prefect.yaml"
    assert abs(found[0].line - line) <= 6


def test_all_faults_are_reported_at_once(shipped: Path) -> None:
    """If this fails, RevOps corrects one fault a deploy."""
    spoil(shipped, "  concurrency_limit: *one_at_a_time", "  concurency_limit: *one_at_a_time")

    faults = spoil(
        shipped, "entrypoint: flows/maintain.py:maintain", "entrypont: flows/maintain.py:x"
    )

    assert len({fault.line for fault in faults}) >= 2


def test_a_broken_file_is_a_fault_and_no_traceback(tmp_path: Path) -> None:
    """If this fails, a stray tab ends in a traceback."""
    assert read(tmp_path, VARIABLES)[1][0].message == "is absent"
    (tmp_path / "prefect.yaml").write_text("name: x\ndeployments:\n\t- name: y\n")

    document, faults = read(tmp_path, VARIABLES)

    assert document is None
    assert faults[0].line == 3
