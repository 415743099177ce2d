"""Two people of the CRMs are joined by hand, then parted: what sales and the ad platform see."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

import duckdb
import pytest

from tests.e2e import fakes, people
from tests.e2e.project import Project

pytestmark = pytest.mark.verify

SEGMENT, LIST = "pricing_page_interest", "Looked at prices"
CARRIED = ("merged_into", "merged_from", "unmerged")
"""Lines of the log that move nobody."""


@dataclass(frozen=True)
class Someone:
    """A person whom one record of a CRM makes up."""

    number: int
    crm: str
    key: str
    email: str
    segments: frozenset[str]

    @property
    def record(self) -> fakes.Record:
        """As the fakes have it."""
        return (self.crm, "contacts" if self.crm == "hubspot" else "Contact", self.key)

    @property
    def name(self) -> str:
        """As the command line takes it."""
        return f"{self.crm}:{self.key}"


def singles(project: Project) -> list[Someone]:
    """Everyone with an address and one record, which is a contact of a CRM."""
    newest = max((project.folder / "published").glob("*-*.duckdb"))
    connection = duckdb.connect(str(newest), read_only=True)
    rows = connection.execute(
        """
        SELECT r.id, any_value(r.source), any_value(r.source_id), any_value(c.email),
               (SELECT coalesce(list(m.segment), []) FROM member m
                WHERE m.entity = 'contact' AND m.id = r.id)
        FROM record_map r JOIN contact c ON c.contact_id = r.id
        WHERE r.entity = 'contact' AND c.email IS NOT NULL GROUP BY r.id
        HAVING count(*) = 1 AND any_value(r.record_kind) = 'contact'
           AND any_value(r.source) IN ('hubspot', 'salesforce') ORDER BY r.id
        """
    ).fetchall()
    connection.close()
    return [Someone(*row[:4], frozenset(row[4])) for row in rows]


@dataclass(frozen=True)
class Pairs:
    """(in the segment, not in it), by what is to happen; HubSpot was read first, so that its people
    are the older ones and keep their ids."""

    replaced: tuple[Someone, Someone]
    """The member is the older one; the other's address is the one that counts."""
    handed: tuple[Someone, Someone]
    """The member is the younger one: it is the older one's membership now."""
    refused: tuple[Someone, Someone]
    """The other has said no to advertising."""

    def __iter__(self):
        return iter((self.replaced, self.handed, self.refused))


@pytest.fixture(scope="module")
def pairs(pushed) -> Pairs:
    found = singles(pushed)
    yes, no = people.granting(pushed), people.refusing(pushed)
    inside = [one for one in found if one.segments == {SEGMENT} and one.email in yes]
    outside = [one for one in found if not one.segments]
    older, other = [[one for one in inside if one.crm == crm] for crm in ("hubspot", "salesforce")]
    granted = [one for one in outside if one.email in yes]
    refusing = [one for one in outside if one.email in no and one.crm == "salesforce"]
    return Pairs(
        (older[0], next(one for one in granted if one.crm == "salesforce")),
        (other[0], next(one for one in granted if one.crm == "hubspot")),
        (older[1], refusing[0]),
    )


@pytest.fixture(scope="module")
def merged(pushed, pairs, tmp_path_factory):
    """After the sync that follows the three merges; and what the sync said."""
    project = pushed.copy(tmp_path_factory.mktemp("merges") / "merged")
    numbers = [
        project.json("identity", "merge", one.name, other.name, "--reason", "asked them")["merge"]
        for one, other in pairs
    ]
    return project, project.json("sync", "--no-prefect"), numbers


@pytest.fixture(scope="module")
def parted(merged, tmp_path_factory):
    """After the sync that follows their undoing; and what the sync said."""
    before, _, numbers = merged
    project = before.copy(tmp_path_factory.mktemp("merges") / "parted")
    for number in numbers:
        project.run("identity", "unmerge", str(number), "--reason", "they are two")
    return project, project.json("sync", "--no-prefect")


def moved(project: Project, run_id: str) -> list[tuple[str, int, str, str]]:
    """Who entered or left by a rule in a run, from the log itself."""
    connection = sqlite3.connect(project.folder / "ledger.sqlite")
    rows = connection.execute(
        "SELECT segment, id, op, reason FROM membership_log WHERE run_id = ?", (run_id,)
    ).fetchall()
    connection.close()
    assert rows, "the log is silent: the merge was not carried"
    return [row for row in rows if not row[3].startswith(CARRIED)]


def standing(project: Project) -> set[str]:
    """Hashes of the addresses on the list, as the platform holds them."""
    return {json.loads(row)["EMAIL"] for row in fakes.state(project).lists[LIST]}


def digest(one: Someone) -> str:
    (found,) = people.hashes([one.email])
    return found


def new_writes(before: Project, after: Project, vendor: str) -> list[dict]:
    return fakes.writes(after, vendor)[len(fakes.writes(before, vendor)) :]


def test_the_pairs_can_prove_something(pushed, pairs):
    """If the pairs are not what they are said to be, every test here passes for nothing."""
    tags = fakes.state(pushed).segments()
    for one, other in pairs:
        assert tags[one.record] == {SEGMENT}
        assert other.record not in tags
        assert digest(one) in standing(pushed)
        assert {one.crm, other.crm} == {"hubspot", "salesforce"}
    assert pairs.replaced[0].number < pairs.replaced[1].number
    assert pairs.handed[0].number > pairs.handed[1].number


def test_nobody_enters_or_leaves_by_a_merge(merged):
    """If it fails, joining two records starts the workflows of entering and leaving."""
    project, result, _ = merged
    assert moved(project, result["run_id"]) == []
    said = result["summary"]["segment"]
    assert not any(said["entered"].values()) and not any(said["left"].values())


def test_both_records_of_the_person_have_the_tag(pushed, merged, pairs):
    """If it fails, a person is tagged in one CRM and a stranger in the other."""
    project = merged[0]
    was, now = fakes.state(pushed).segments(), fakes.state(project).segments()
    others = {other.record: frozenset({SEGMENT}) for _, other in pairs}
    assert now == was | others
    written = [
        (crm, row["object"], row["member"])
        for crm in fakes.OBJECTS
        for row in new_writes(pushed, project, crm)
    ]
    assert sorted(written) == sorted(others), "a record that had the tag was written again"


def test_the_old_identifiers_go_and_the_new_ones_come_in_one_plan(pushed, merged, pairs):
    """If it fails, the platform keeps showing ads to an address that nobody has any more."""
    project, result, _ = merged
    one, other = pairs.replaced
    assert digest(one) in standing(pushed) and digest(other) not in standing(pushed)
    assert digest(one) not in standing(project)
    assert digest(other) in standing(project)
    (plan,) = [
        plan
        for plan in result["summary"]["plans"]
        if plan["target"] == f"meta_ads/list/{SEGMENT}" and plan["kind"] == "change"
    ]
    connection = sqlite3.connect(project.folder / "ledger.sqlite")
    ops = connection.execute(
        "SELECT op, phase FROM plan_change WHERE plan_id = ? AND member = ? ORDER BY position",
        (plan["plan_id"], str(one.number)),
    ).fetchall()
    connection.close()
    assert [op for op, _ in ops] == ["remove", "add"]
    rows = [
        (row["op"], json.loads(row["member"])["EMAIL"])
        for row in new_writes(pushed, project, "meta_ads")
    ]
    assert rows.index(("remove", digest(one))) < rows.index(("add", digest(other)))
    assert plan["segments"] == {}, "a replacement counts as leaving and entering"


def test_who_is_handed_a_membership_stays_on_the_list(merged, pairs):
    """If it fails, somebody leaves the list because an older record of theirs was found."""
    assert digest(pairs.handed[0]) in standing(merged[0])


def test_the_stricter_word_of_the_two_counts(pushed, merged, pairs):
    """If it fails, a refusal is lost by joining it with a consent."""
    one, other = pairs.refused
    assert digest(one) in standing(pushed)
    assert not {digest(one), digest(other)} & standing(merged[0])


def test_parted_again_everything_is_as_it_was(pushed, merged, parted):
    """If it fails, a wrong merge leaves marks in the CRMs or on the lists for ever."""
    project, result = parted
    was, now = fakes.state(pushed), fakes.state(project)
    assert now.lists == was.lists
    assert now.tags == was.tags
    assert fakes.state(merged[0]).tags != was.tags, "the merge had changed nothing"
    assert moved(project, result["run_id"]) == []
    said = result["summary"]["segment"]
    assert not any(said["entered"].values()) and not any(said["left"].values())


def test_no_record_flickers(pushed, merged, parted, pairs):
    """If a tag goes and comes back between two syncs, sales is told twice about nothing."""
    project = parted[0]
    log = [
        (crm, row["object"], row["member"])
        for crm in fakes.OBJECTS
        for row in new_writes(pushed, project, crm)
    ]
    others = [other.record for _, other in pairs]
    assert sorted(log) == sorted(others * 2), "tagged once, cleared once, nobody else touched"


def test_memberships_and_people_are_the_same_as_before(pushed, parted, pairs):
    """If it fails, taking back a merge forgets since when somebody was in, or who they were."""

    def inside(project):
        newest = max((project.folder / "published").glob("*-*.duckdb"))
        connection = duckdb.connect(str(newest), read_only=True)
        found = connection.execute("SELECT entity, id, segment, since FROM member").fetchall()
        who = connection.execute("SELECT entity, source, source_id, id FROM record_map").fetchall()
        connection.close()
        return sorted(found), sorted(who)

    assert inside(parted[0]) == inside(pushed)


@pytest.mark.verify
def test_the_past_and_a_lost_warehouse_agree(parted, pairs, tmp_path):
    """If it fails, a rebuild shows people as one on days when they were two, or plans changes."""
    project = parted[0].copy(tmp_path / "rebuilt")
    (project.folder / "hub.duckdb").unlink()

    done = project.json("rebuild")

    assert (done["entered"], done["left"]) == (0, 0)
    with project.sandbox():
        plans = project.json("plan")
    assert [one["target"] for one in plans if one["plan_id"]] == []
