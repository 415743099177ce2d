"""Laws of identity: order does not matter, a plain union-find agrees, merge and unmerge cancel."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from iddesk import Desk

SOURCES = ("crm", "shop", "mail")


def union_find(records, links):
    """Each record to the set of those it is joined with, the slow and plain way."""
    groups = {record: {record} for record in records}
    for one, other in links:
        if groups[one] is not groups[other]:
            groups[one] |= groups[other]
            for record in groups[other]:
                groups[record] = groups[one]
    return {frozenset(group) for group in groups.values()}


def links_of(records):
    """Pairs that share an e-mail or a customer number, and merges inside a CRM."""
    live = [one for one in records if not one[2].get("deleted")]
    for field in ("email", "external_id"):
        for one in live:
            for other in live:
                if one[2].get(field) and one[2].get(field) == other[2].get(field):
                    yield one[:2], other[:2]
    known = {one[:2] for one in records}
    for source, key, values in records:
        target = (source, values.get("merged_into"))
        if target in known:
            yield (source, key), target


@st.composite
def companies(draw):
    """Up to 14 records with few keys, so that chains, hubs and stars all occur."""
    count = draw(st.integers(1, 14))
    records = []
    for n in range(count):
        values = {
            "email": draw(st.sampled_from([None, *(f"p{i}@x.example" for i in range(5))])),
            "external_id": draw(st.sampled_from([None, None, "K1", "K2", "K3"])),
        }
        if draw(st.integers(0, 5)) == 0:
            values = {"deleted": True, "merged_into": str(draw(st.integers(0, count - 1)))}
        records.append((SOURCES[n % 3], str(n // 3), values))
    return records


LOOSE = {"values_per_profile": {}}


def fresh(folder, **options):
    return Desk(Path(folder), **options)


@settings(max_examples=6, deadline=None)
@given(companies(), st.randoms(use_true_random=False))
def test_any_order_gives_the_plain_answer(records, chance):
    """If it fails, who is one person depends on which page came first."""
    wanted = union_find([one[:2] for one in records], links_of(records))
    with tempfile.TemporaryDirectory() as folder:
        desk = fresh(folder, **LOOSE)
        desk.put(*records)
        desk.run()
        assert desk.groups() == wanted
        persons, journal = desk.persons(), desk.open_merges()
        for _ in range(2):
            mixed = list(records)
            chance.shuffle(mixed)
            desk.fresh()
            while mixed:
                page, mixed = mixed[:4], mixed[4:]
                desk.put(*page)
                desk.run()
            assert desk.persons() == persons
        assert {loser for _, loser in desk.open_merges()} == {loser for _, loser in journal}
        desk.close()


@settings(max_examples=6, deadline=None)
@given(companies(), companies(), st.booleans())
def test_an_increment_equals_computing_everything(first, second, strict):
    """If it fails, an hourly sync drifts from what a full one says."""
    with tempfile.TemporaryDirectory() as folder:
        desk = fresh(folder, **({} if strict else LOOSE), records_per_key=3)
        desk.put(*first)
        desk.run()
        changed = second[: max(1, len(second) // 3)]
        desk.put(*changed)
        done = desk.run()
        assert not done.full
        persons, conflicts = desk.persons(), desk.conflicts()
        final = {one[:2]: one for one in (*first, *changed)}
        desk.fresh()
        desk.put(*final.values())
        assert desk.run().full
        assert (desk.persons(), desk.conflicts()) == (persons, conflicts)
        desk.close()


@settings(max_examples=6, deadline=None)
@given(companies(), st.data())
def test_merge_then_unmerge_is_the_identity(records, data):
    """If it fails, a mistaken merge cannot be taken back."""
    with tempfile.TemporaryDirectory() as folder:
        desk = fresh(folder)
        desk.put(*records)
        desk.run()
        before, conflicts = desk.persons(), desk.conflicts()
        people = sorted(set(before.values()))
        if len(people) > 1:
            one, other = data.draw(st.permutations(people))[:2]
            merge = desk.ledger.merges.join("contact", one, other, "ann", desk.now, "same desk")
            desk.run()
            after = desk.persons()
            both = set(after.values())
            assert max(one, other) not in both and min(one, other) in both
            desk.ledger.merges.undo(merge, "ann", desk.now, "not the same")
            desk.run()
        assert (desk.persons(), desk.conflicts()) == (before, conflicts)
        desk.close()


@settings(max_examples=6, deadline=None)
@given(companies(), st.data())
def test_what_was_parted_stays_apart_and_can_be_joined_again(records, data):
    """If it fails, the next sync joins again what a person has just parted."""
    with tempfile.TemporaryDirectory() as folder:
        desk = fresh(folder)
        desk.put(*records)
        desk.run()
        before = desk.persons()
        merges = desk.ledger.merges.open("contact")
        if merges:
            undone = data.draw(st.sampled_from(merges))
            desk.ledger.merges.undo(undone.merge_id, "ann", desk.now, "two people")
            chance = random.Random(len(records))
            for _ in range(2):
                mixed = list(records)
                chance.shuffle(mixed)
                desk.fresh()
                desk.put(*mixed)
                desk.run()
                own = desk.ledger.people.ids("contact")
                at = {own[key]: person for key, person in desk.persons().items()}
                assert at[undone.loser] != at[undone.survivor]
            desk.ledger.merges.join(
                "contact", undone.survivor, undone.loser, "ann", desk.now, "one after all"
            )
            desk.run()
        assert desk.persons() == before
        desk.close()
