"""Guards are set for everything, for a target, for a segment, and for a segment at a target."""

from __future__ import annotations

import pytest
from toybench import LIST, TAGS, Bench, one

from audiencehub.errors import Faults
from audiencehub.settings import SegmentEntry, TargetEntry, load

OWN = {"guards": {"removals_share": 0.01, "removals_count": 2}}
SEGMENT = {"segments": {"warm": SegmentEntry(**OWN)}}
TARGET = {"targets": {TAGS: TargetEntry(**OWN)}}
BOTH = {"targets": {TAGS: TargetEntry(segments={"warm": OWN})}}
LOOSER = {
    "segments": {"warm": SegmentEntry(**OWN)},
    "targets": {TAGS: TargetEntry(segments={"warm": {"guards": {"removals_count": 99}}})},
}


@pytest.fixture
def crowd(tmp_path):
    """Three hundred people of whom two hundred are warm and fifty hot, everywhere."""
    bench = Bench(tmp_path, people=300, guards={"first_run": "go", "field_share": 1.0})
    bench.member(warm=range(200), hot=range(50))
    bench.sync()
    yield bench
    bench.close()


@pytest.mark.parametrize(
    ("said", "at_tags", "at_list"),
    [
        ({}, set(), set()),
        (SEGMENT, {"warm"}, {"warm"}),
        (TARGET, {"warm", "hot"}, set()),
        (BOTH, {"warm"}, set()),
        (LOOSER, set(), {"warm"}),
    ],
    ids=["nothing", "segment", "target", "segment at target", "the nearest counts"],
)
def test_the_limit_that_stands_nearest_holds(crowd, said, at_tags, at_list):
    """A limit set for one small segment must bind it, and nobody else."""
    settings = crowd.hub().settings.model_copy(update=said)
    crowd.member(warm=range(3, 200), hot=range(3, 50))

    planned = crowd.plan(settings=settings)

    def holding(target):
        return {g.segment for g in one(planned, target).guards if g.verdict == "hold"}

    assert (holding(TAGS), holding(LIST)) == (at_tags, at_list)


SETTINGS = """
[company]
name = "Acme"
[destinations.crm]
connector = "hubspot"
[guards]
removals_share = 15
[segments.warm]
guards = { field_share = 0.1 }
[targets."crm/contact/tags"]
guards = { removal_count = 5 }
[targets."cmr/contact/tags"]
freeze_hours = 1
[targets."crm/contact/tags".segments.warm]
guards = { adds_count = -1 }
"""


def test_faults_of_guards_are_told_with_their_lines(tmp_path):
    """A misspelt limit that is taken for none is a guard that is off."""
    (tmp_path / "deployments").mkdir()
    path = tmp_path / "deployments" / "prod.toml"
    path.write_text(SETTINGS)
    with pytest.raises(Faults) as raised:
        load("prod", tmp_path)
    first = str(raised.value)
    path.write_text(SETTINGS.replace("guards = { removal_count = 5 }\n", "").replace("-1", "1"))
    with pytest.raises(Faults) as raised:
        load("prod", tmp_path)

    assert "prod.toml:7: guards.removals_share" in first
    assert "prod.toml:9: segments.warm.guards.field_share is not a setting" in first
    assert "prod.toml:11: targets.crm/contact/tags.guards.removal_count is not a setting" in first
    assert "Did you mean removals_count?" in first
    assert "prod.toml:15: targets.crm/contact/tags.segments.warm.guards.adds_count" in first
    assert "cmr/contact/tags is at no destination of this environment; did you mean crm?" in str(
        raised.value
    )
