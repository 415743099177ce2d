"""What `audiencehub schedule` foretells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.server.prefect_yaml import Deployment, Document, Limit, Schedule, WorkPool, read
from audiencehub.server.schedules import upcoming
from tests.server.test_prefect_yaml import ROOT, VARIABLES

NEW_YORK = ZoneInfo("America/New_York")
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def document(*schedules: Schedule) -> Document:
    one = Deployment(
        name="one",
        entrypoint="flows/sync.py:sync",
        schedules=list(schedules),
        concurrency_limit=Limit(limit=1, collision_strategy="CANCEL_NEW"),
        work_pool=WorkPool(name="pool"),
    )
    return Document(name="x", deployments=[one])


def test_the_shipped_schedules_are_told_in_the_companys_time_zone() -> None:
    """If this fails, RevOps reads times that are hours off."""
    shipped, _ = read(Path(ROOT), VARIABLES)
    assert shipped is not None

    monday = datetime(2026, 11, 16, 12, tzinfo=UTC)
    rows = {row.deployment: row for row in upcoming(shipped, monday, NEW_YORK)}

    nightly = rows["sync-nightly-full"].times
    assert [at.strftime("%a %H:%M %Z") for at in nightly[:2]] == ["Tue 02:15 EST", "Wed 02:15 EST"]
    assert [at.strftime("%a %H:%M") for at in rows["sync-hourly"].times[:2]] == [
        "Mon 07:05",
        "Mon 08:05",
    ]
    assert rows["enrich-weekly"].times[0].strftime("%A") == "Sunday"
    assert rows["apply-plan"].times == ()
    assert rows["apply-plan"].waits_for == "audiencehub.plan.approved"
    assert {len(row.times) for row in rows.values() if row.rule} == {5}


@pytest.mark.fault(12)
def test_a_nightly_run_keeps_its_wall_clock_time_when_clocks_change() -> None:
    """If this fails, the night run drifts by an hour for half of the year."""
    daily = Schedule(slug="daily", cron="15 4 * * *", timezone="America/New_York")

    [row] = upcoming(document(daily), datetime(2026, 10, 30, 12, tzinfo=UTC), NEW_YORK, 4)

    assert {at.strftime("%H:%M") for at in row.times} == {"04:15"}
    assert {at.utcoffset() for at in row.times} == {timedelta(hours=-4), timedelta(hours=-5)}


@given(
    st.timedeltas(timedelta(0), timedelta(days=2000)).map(lambda later: FIRST + later),
    st.integers(10, 86_399),
)
def test_times_rise_and_lie_ahead(now: datetime, seconds: int) -> None:
    """If this fails, a run that is over is called the next one."""
    every = Schedule(slug="every", interval=seconds, timezone="Europe/Berlin")
    cron = Schedule(slug="cron", cron="*/7 3 * * 1", timezone="Europe/Berlin")

    for row in upcoming(document(every, cron), now, NEW_YORK):
        assert row.times[0] > now
        assert list(row.times) == sorted(set(row.times))
    interval = upcoming(document(every), now, NEW_YORK)[0].times
    steps = {b.astimezone(UTC) - a.astimezone(UTC) for a, b in pairwise(interval)}
    assert steps == {timedelta(seconds=seconds)}
