"""Answers that are wrong in every way there is: a pull says the truth, or says that it cannot.

Each kind of wrong answer is served in the place of a true one, over real HTTP. What comes of the
pull is all there is, or Incomplete, Wait or Stop with an instruction; never a crash, never a part,
and in no case a removal. `test_pathologies_<vendor>.py` hold the whole matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from audiencehub.errors import Incomplete, Wait
from audiencehub.model import Page
from tests.connectors import documents, pathology, stands
from tests.connectors.endless import ENDLESS

EVERYWHERE = documents.TEXT.keys() | dict(pathology.general()).keys()
FAST = ("hubspot contacts", "hubspot deals", "salesforce contacts", "salesforce bulk", "builtwith")
pytestmark = pytest.mark.fault(10)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with stands.small(monkeypatch):
        yield


@pytest.mark.parametrize("name", FAST)
def test_a_wrong_answer_is_the_truth_or_a_reason(name, small, tmp_path):
    """If it fails, a proxy's error page or half an answer takes people out of audiences."""
    with ExitStack() as stack:
        ordeal = stands.opened(name, tmp_path, stack)
        places = ordeal.places()
        for number, (kind, spoil) in enumerate(stands.kinds(name).items()):
            if kind in EVERYWHERE and ordeal.fits(spoil, places[number % len(places)]):
                ordeal.run(kind, spoil, places[number % len(places)])

    assert not ordeal.faults, "\n".join(ordeal.faults)
    assert len(ordeal.struck) >= 60, f"only {len(ordeal.struck)} kinds fitted"
    assert ordeal.outcomes["complete"] and ordeal.outcomes["Incomplete"], ordeal.outcomes


@pytest.mark.parametrize("name", ["hubspot contacts since", "salesforce bulk", "builtwith"])
def test_a_wrong_part_of_an_answer_is_the_truth_or_a_reason(name, small, tmp_path):
    """If it fails, a key with another value, or a row less, counts as the whole truth."""
    with ExitStack() as stack:
        ordeal = stands.opened(name, tmp_path, stack)
        places = ordeal.places()
        for number, (kind, spoil) in enumerate(stands.kinds(name).items()):
            fitting = [place for place in places if ordeal.fits(spoil, place)]
            if fitting and kind not in EVERYWHERE and number % 5 == 0:
                ordeal.run(kind, spoil, fitting[-1])
        for kind, make in ENDLESS[stands.STANDS[name].connector].items():
            ordeal.run(kind, make(), places[-1], 1_000_000)

    assert not ordeal.faults, "\n".join(ordeal.faults)
    assert len(ordeal.struck) >= 20, f"only {len(ordeal.struck)} kinds fitted"


class Swallowing:
    """The control: a source that takes whatever stopped it for the end."""

    def __init__(self, true) -> None:
        self.true = true

    def __call__(self, into, cursor) -> list[str]:
        try:
            return self.true(into, cursor)
        except (Incomplete, Wait):
            into.pages.append(Page((), cursor={}, last=True, full=cursor is None))
            return []


def test_the_control_that_swallows_errors_is_caught(small, tmp_path):
    """A sweep that finds nothing in a source that lies would find nothing anywhere."""
    with ExitStack() as stack:
        ordeal = stands.opened("hubspot contacts", tmp_path, stack)
        ordeal.reader = Swallowing(ordeal.reader)
        places = ordeal.places()
        for kind in ("no body", "half a body, length to match", "a web page", "500 and a page"):
            ordeal.run(kind, dict(pathology.general())[kind], places[-1], 1_000_000)
            ordeal.run(kind, dict(pathology.general())[kind], places[2], 1_000_000)

    assert sum("silent" in one for one in ordeal.faults) >= 4, ordeal.outcomes
