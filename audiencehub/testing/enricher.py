"""The contract of an enricher, which looks up keys that cost money.

class TestAcmeLookup(EnricherContract):
    connector = "acme_lookup"
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

import pytest

from audiencehub.errors import Incomplete, Stop, Wait
from audiencehub.sandbox.company import Company
from audiencehub.testing.bench import FakeBench, Patience
from audiencehub.testing.contract import BROKEN, Contract, assert_instruction, assert_one_line
from audiencehub.testing.pulling import Pull, collect, faults_of, rows_of
from audiencehub.testing.source import survives


class EnricherContract(Contract):
    """The laws of a lookup: every key once, nothing that was not asked for, no false ends."""

    unknown: ClassVar[str] = "nobody-knows-this.example"
    """A key without an answer."""

    def keys(self, company: Company) -> Sequence[str]:
        """Keys that the fake has answers for; by default the domains with technologies."""
        return sorted({one.domain for one in company.technologies})

    def look(self, bench: FakeBench, keys: Sequence[str] | None = None) -> Pull:
        """Answers for these keys, or for all of them."""
        enricher = bench.enricher()
        asked = self.keys(bench.company) if keys is None else keys
        return collect(enricher, enricher.stream, enricher.enrich(asked))

    def test_check_proves_access(self, bench: FakeBench) -> None:
        """`doctor` shows this line; a check that says nothing proves nothing."""
        assert_one_line(bench.enricher().check(), bench)

    def test_refused_access_stops_with_an_instruction(self, bench: FakeBench) -> None:
        """A wrong key that looks like an outage would be retried for ever."""
        with pytest.raises(Stop) as checked:
            bench.enricher(wrong=True).check()
        assert_instruction(checked.value, bench)
        with pytest.raises(Stop) as asked:
            list(bench.enricher(wrong=True).enrich(self.keys(bench.company)))
        assert_instruction(asked.value, bench)

    def test_every_key_is_answered_and_the_end_is_said(self, bench: FakeBench) -> None:
        """Answers that are lost are not asked for again before they expire."""
        keys = self.keys(bench.company)
        pull = self.look(bench)
        ends = [page.last for page in pull.pages]
        assert ends[-1] and not any(ends[:-1]), "last page, once"
        assert len(pull.records) == len(keys) and not pull.skipped, "one answer for each key"

    def test_batches_lose_nothing(self, bench: FakeBench) -> None:
        """Keys at the seam of two batches must be asked for once, neither never nor twice."""
        keys = self.keys(bench.company)
        whole, parts = self.look(bench).live, dict(self.look(bench, keys[:7]).live)
        parts |= self.look(bench, keys[7:]).live
        assert parts == whole
        assert self.look(bench, [*keys, *keys[:3]]).live == whole

    def test_no_answer_is_no_row(self, bench: FakeBench) -> None:
        """A row for a key that the vendor does not know is made up."""
        known = self.keys(bench.company)[0]
        assert self.look(bench, [self.unknown]).live == {}
        assert self.look(bench, [self.unknown, known]).live == self.look(bench, [known]).live != {}

    def test_an_answer_says_which_key_it_is_about(self, bench: FakeBench) -> None:
        """A key that counts as answered is not asked for again for weeks."""
        keys = self.keys(bench.company)
        enricher = bench.enricher()

        about = {enricher.answers(record) for record in self.look(bench).records}

        assert about and about <= set(keys)

    def test_nothing_asked_ends_too(self, bench: FakeBench) -> None:
        """A run without new accounts is complete."""
        pull = self.look(bench, [])
        assert pull.pages[-1].last and not pull.records

    def test_rows_are_canonical_and_pure(self, bench: FakeBench) -> None:
        """A rebuild reads landed answers again, without the vendor: it must come to the same."""
        pull, enricher, other = self.look(bench), bench.enricher(), bench.enricher(wrong=True)
        wrong = {fault for row in pull.rows for fault in faults_of(row)}
        assert pull.rows and not wrong, sorted(wrong)
        assert len(pull.live) == len(pull.rows), "one row for each id"
        asked = len(bench.asked())
        for record in pull.records:
            said = rows_of(enricher, enricher.stream, record)
            assert said == rows_of(enricher, enricher.stream, record), "rows() has moods"
            landed = json.loads(json.dumps(record, default=str))
            assert said == rows_of(other, enricher.stream, landed), "landed, it differs"
        assert len(bench.asked()) == asked, "rows() calls the vendor"
        survives(enricher, enricher.stream, pull.records[:3])

    @pytest.mark.parametrize("broken", BROKEN)
    def test_a_broken_answer_is_not_the_end(self, bench: FakeBench, broken: str) -> None:
        """A lookup that counts as done is not repeated for weeks."""
        before = len(bench.asked())
        clean = self.look(bench)
        for place in range(len(bench.asked()) - before):
            bench.fault(skip=place, times=1_000_000, **BROKEN[broken])
            with pytest.raises((Incomplete, Wait)) as found:
                self.look(bench)
            assert_instruction(found.value, bench)
            bench.heal()
            bench.fault(skip=place, **BROKEN[broken])
            try:
                again = self.look(bench)
            except (Incomplete, Wait):
                continue
            finally:
                bench.heal()
            assert again.live == clean.live, f"{broken} cost answers, silently"

    def test_retry_after_is_obeyed(self, bench: FakeBench, patience: Patience) -> None:
        """A client that asks again at once is blocked."""
        bench.fault(status=429, headers={"Retry-After": "7"}, body={})
        patience.slept.clear()
        assert self.look(bench).live
        assert max(patience.slept, default=0) >= 7, "did not wait as told"

    def test_a_limit_of_hours_is_not_waited_for(self, bench: FakeBench) -> None:
        """A run that sleeps for hours holds its lease, and looks alive while it does nothing."""
        bench.fault(times=1_000_000, status=429, headers={"Retry-After": "86400"}, body={})
        with pytest.raises(Wait) as found:
            self.look(bench)
        assert_instruction(found.value, bench)
