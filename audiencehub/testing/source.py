"""The contract of a source. Subclass in a test module, name the connector, and run pytest.

    class TestAcmeCrm(SourceContract):
        connector = "acme_crm"

Whatever a source must keep so that nothing is lost, doubled or wrongly removed is tested on its
own fake, over real HTTP. `PullContract` is the part that needs no HTTP, for sources of files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiencehub.connector import Enricher, Source
from audiencehub.errors import Incomplete, SkipRow, Stop, Wait
from audiencehub.model import Json, Stream
from audiencehub.sandbox.company import Company
from audiencehub.testing.bench import Bench, FakeBench, Patience
from audiencehub.testing.contract import (
    BROKEN,
    Contract,
    assert_instruction,
    assert_one_line,
)
from audiencehub.testing.pulling import (
    MALFORMED,
    Pull,
    apply,
    collect,
    faults_of,
    live,
    rows_of,
)

SET_ASIDE = 0.05
"""Share of the demo company's records that rows() may set aside."""
DAYS = 3
"""How many days pass before the changes are read."""
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just("\U0001f98a\u202e ' OR 1=1; --"),
)


class PullContract(Contract):
    """The laws of any source, wherever it reads from."""

    empty: ClassVar[Mapping[str, str]] = {}
    """Streams that have nothing at the demo company, and why."""

    repeats: ClassVar[Mapping[str, str]] = {}
    """Tables whose rows come with other records, again and again, and why; the latest stands."""

    def holds(self, company: Company) -> Mapping[str, int]:  # noqa: ARG002 - for subclasses
        """Records per stream that the fake holds, counted from the company and not by the product.

        Streams left out are not counted.
        """
        return {}

    def refused(self, bench: Bench) -> Source:
        """The source with access that the other side does not grant."""
        return bench.source(wrong=True)

    def test_check_proves_access(self, bench: Bench) -> None:
        """`doctor` shows this line; a check that says nothing proves nothing."""
        assert_one_line(bench.source().check(), bench)

    def test_refused_access_stops_with_an_instruction(self, bench: Bench) -> None:
        """A wrong password that looks like an outage would be retried for ever."""
        with pytest.raises(Stop) as checked:
            self.refused(bench).check()
        assert_instruction(checked.value, bench)
        for stream in bench.source().available():
            source = self.refused(bench)
            with pytest.raises(Stop) as pulled:
                list(source.pull(stream, None))
            assert_instruction(pulled.value, bench)

    def test_a_full_pull_ends_and_is_complete(self, bench: Bench) -> None:
        """Rows missing at the end of a pull that says it is whole would be removed everywhere."""
        counted = self.holds(bench.company)
        for stream, pull in whole(bench):
            ends = [page.last for page in pull.pages]
            assert ends and ends[-1] and not any(ends[:-1]), f"{stream.name}: last page, once"
            there = sum(not _gone(bench.source(), stream, one) for one in pull.records)
            for page in pull.pages:
                assert page.total is None or page.total in (there, len(pull.records)), (
                    f"{stream.name}: the vendor says {page.total} records; {len(pull.records)} "
                    f"came, {there} of them not deleted"
                )
            if stream.name in counted:
                assert there == counted[stream.name], f"{stream.name}: lost or doubled in paging"
            why = self.empty.get(stream.name)
            assert bool(pull.live) is (why is None), (
                f"{stream.name}: an empty stream needs a reason in `empty`, and only that"
            )

    def test_no_row_comes_twice_with_two_meanings(self, bench: Bench) -> None:
        """One id with two values means that which one wins depends on the order of pages."""
        for stream, pull in whole(bench):
            seen: dict[tuple[str, str], Any] = {}
            for row in (one for one in pull.rows if one.table not in self.repeats):
                meaning = None if row.deleted else row.values
                held = seen.setdefault((row.table, row.source_id), meaning)
                assert held == meaning, f"{stream.name}: one id of {row.table} has two meanings"

    def test_rows_are_canonical(self, bench: Bench) -> None:
        """A field that no table has is silently nowhere; a naive time is off by a zone."""
        for stream, pull in whole(bench):
            wrong = {fault for row in pull.rows for fault in faults_of(row)}
            assert not wrong, f"{stream.name}: {sorted(wrong)}"
            aside = len(pull.skipped)
            assert aside <= SET_ASIDE * len(pull.records), (
                f"{stream.name}: sets {aside} of {len(pull.records)} records aside"
            )

    def test_rows_are_pure(self, bench: Bench) -> None:
        """A rebuild reads landed records again, without the vendor: it must come to the same."""
        for stream, pull in whole(bench):
            source, other = bench.source(), bench.source(wrong=True)
            asked = len(bench.asked()) if isinstance(bench, FakeBench) else 0
            for record in pull.records:
                said = rows_of(source, stream, record)
                assert said == rows_of(source, stream, record), f"{stream.name}: rows() has moods"
                landed = json.loads(json.dumps(record, default=str))
                assert said == rows_of(other, stream, landed), f"{stream.name}: landed, it differs"
            if isinstance(bench, FakeBench):
                assert len(bench.asked()) == asked, f"{stream.name}: rows() calls the vendor"

    def test_rows_of_a_mangled_record_are_canonical_or_set_aside(self, bench: Bench) -> None:
        """One odd record must cost itself, never the pull."""
        for stream, pull in whole(bench):
            if pull.records:
                survives(bench.source(), stream, pull.records[:3])

    def test_two_full_pulls_are_equal(self, bench: Bench) -> None:
        """What differs between two pulls of the same data is made up by the connector."""
        for (stream, one), (_, two) in zip(whole(bench), whole(bench), strict=True):
            assert one.live == two.live, f"{stream.name}: two full pulls differ"

    def test_a_second_pull_adds_nothing(self, bench: Bench) -> None:
        """A cursor that is off by one reads everything again, or skips what came meanwhile."""
        for stream, first in whole(bench):
            cursor = first.cursor
            if cursor is not None:
                cursor = json.loads(json.dumps(cursor))
                assert cursor == first.cursor, f"{stream.name}: a cursor is stored as JSON"
                assert all(isinstance(one, str) for one in cursor.values()), (
                    f"{stream.name}: a cursor holds texts"
                )
            second = take(bench.source(), stream, cursor)
            assert second.pages[-1].last, f"{stream.name}: a pull of nothing new ends too"
            again = live(apply(first.live, second.rows))
            assert again == first.live, f"{stream.name}: nothing happened, and rows changed"

    def test_changes_arrive(self, bench: Bench) -> None:
        """State kept by increments must be the state that a full pull reads: the law of cursors."""
        source = bench.source()
        before = {stream.name: pull for stream, pull in whole(bench)}
        for _ in range(DAYS):
            bench.next_day()
        counted, changed, buried, people = self.holds(bench.company), 0, 0, False
        for stream in source.available():
            first, old = before[stream.name], before[stream.name].live
            more = take(bench.source(), stream, first.cursor)
            again = take(bench.source(), stream, None)
            fresh = again.live
            kept = more.live if more.pages[-1].full else live(apply(old, more.rows))
            if stream.tombstones or stream.snapshot:
                assert kept.keys() == fresh.keys(), (
                    f"{stream.name}: {len(kept.keys() - fresh.keys())} deletions and "
                    f"{len(fresh.keys() - kept.keys())} new rows did not arrive"
                )
            stale = [key for key in fresh if kept.get(key) != fresh[key]]
            assert not stale, f"{stream.name}: {len(stale)} changes did not arrive, as {stale[0]}"
            assert stream.snapshot or first.cursor is None or not more.pages[-1].full, (
                f"{stream.name}: everything was read again for the changes of some days"
            )
            there = sum(not _gone(source, stream, one) for one in again.records)
            assert there == counted.get(stream.name, there), f"{stream.name}: the deleted stay"
            changed += sum(old.get(key) != row for key, row in fresh.items())
            buried += sum(row.deleted and (row.table, row.source_id) in old for row in more.rows)
            people = people or (stream.tombstones and ("contact" in {key[0] for key in old}))
        assert changed, "nothing changed in days: the fake's advance() does nothing"
        assert buried or not people, "people were deleted, and no tombstone came"


class SourceContract(PullContract):
    """The laws of a source that speaks HTTP: those of any source, and what faults must not do."""

    @pytest.mark.parametrize("broken", BROKEN)
    def test_a_broken_answer_never_ends_a_pull(self, bench: FakeBench, broken: str) -> None:
        """A pull that is called complete on the strength of a cut answer removes people."""
        for stream, clean in whole(bench):
            count = self._requests(bench, stream)
            for place in sorted({count // 2, count - 1}):
                bench.fault(skip=place, times=1_000_000, **BROKEN[broken])
                with pytest.raises((Incomplete, Wait)) as found:
                    list(bench.source().pull(stream, None))
                assert_instruction(found.value, bench)
                bench.heal()
            # Once only, it may be made good or reported; it may not cost a row.
            bench.fault(**BROKEN[broken])
            try:
                pull = take(bench.source(), stream, None)
            except (Incomplete, Wait):
                continue
            finally:
                bench.heal()
            assert pull.live == clean.live, f"{stream.name}: {broken} cost rows, silently"

    def test_retry_after_is_obeyed(self, bench: FakeBench, patience: Patience) -> None:
        """A client that asks again at once is blocked, and the night's sync with it."""
        for stream, clean in whole(bench):
            place = self._requests(bench, stream) - 1
            bench.fault(skip=place, status=429, headers={"Retry-After": "7"}, body={})
            patience.slept.clear()
            pull = take(bench.source(), stream, None)
            assert max(patience.slept, default=0) >= 7, f"{stream.name}: did not wait as told"
            assert pull.live == clean.live, f"{stream.name}: a limit cost rows"

    def test_a_limit_of_hours_is_not_waited_for(self, bench: FakeBench) -> None:
        """A run that sleeps for hours holds its lease, and looks alive while it does nothing."""
        for stream in bench.source().available():
            bench.fault(times=1_000_000, status=429, headers={"Retry-After": "86400"}, body={})
            with pytest.raises(Wait) as found:
                list(bench.source().pull(stream, None))
            assert_instruction(found.value, bench)
            bench.heal()

    def _requests(self, bench: FakeBench, stream: Stream) -> int:
        """How many requests a full pull takes."""
        before = len(bench.asked())
        take(bench.source(), stream, None)
        count = len(bench.asked()) - before
        assert count, f"{stream.name}: the pull never asked the fake"
        return count


def take(source: Source, stream: Stream, cursor: Mapping[str, str] | None) -> Pull:
    """One pull with its rows."""
    return collect(source, stream, source.pull(stream, cursor))


def whole(bench: Bench) -> Iterator[tuple[Stream, Pull]]:
    """Every stream, pulled from the beginning by a source of its own."""
    for stream in bench.source().available():
        yield stream, take(bench.source(), stream, None)


def survives(part: Source | Enricher, stream: Stream, records: Sequence[Json]) -> None:
    """Whatever stands in a record, its rows are canonical or it is set aside."""

    @settings(max_examples=25, deadline=None, database=None)
    @given(mangled=st.sampled_from(records).flatmap(_mangled))
    def law(mangled: Json) -> None:
        try:
            rows = list(part.rows(stream, mangled))
        except (SkipRow, *MALFORMED):
            return
        wrong = [fault for row in rows for fault in faults_of(row)]
        assert not wrong, f"{stream.name}: a mangled record gives {wrong}"

    law()


def _gone(source: Source, stream: Stream, record: Any) -> bool:
    said = rows_of(source, stream, record)
    return not isinstance(said, str) and bool(said) and all(row.deleted for row in said)


def _mangled(record: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The record with one of its values replaced, or gone; also inside of it."""
    paths = list(_paths(record))

    def mangle(path: tuple[str, ...], value: Any, gone: bool) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(json.dumps(record, default=str))
        inner = made
        for key in path[:-1]:
            inner = inner[key]
        if gone:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
        return made

    return st.builds(mangle, st.sampled_from(paths), ODD, st.booleans())


def _paths(record: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterable[tuple[str, ...]]:
    for key, value in record.items():
        yield (*above, key)
        if isinstance(value, Mapping) and len(above) < 3:
            yield from _paths(value, (*above, key))
