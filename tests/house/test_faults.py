"""The scoreboard: every fault has a test, and README.md says what is so."""

from __future__ import annotations

from tests.house import faults


def test_every_fault_has_a_test_by_its_number() -> None:
    """A fault without a test is a promise that nobody keeps."""
    found = faults.marked()

    assert [number for number in faults.FAULTS if not found[number]] == []
    assert set(found) == set(faults.FAULTS), "a test names a fault that is not listed"


def test_the_scoreboard_is_of_today() -> None:
    """If it fails, README.md promises what no test proves, or hides what one does."""
    page = (faults.ROOT / "README.md").read_text("utf-8")

    assert page == faults.written(page, faults.marked()), "run: make generate"
    assert f"Faults survived: {len(faults.FAULTS)} of {len(faults.FAULTS)}." in page


def test_a_fault_without_a_test_is_counted_out(tmp_path) -> None:
    """A scoreboard that shows the full number whatever is marked would be a decoration."""
    (tmp_path / "tests").mkdir()
    text = "import pytest\n\n@pytest.mark.fault(7, 9)\ndef test_one():\n    pass\n"
    (tmp_path / "tests" / "test_some.py").write_text(text)
    found = faults.marked(tmp_path / "tests")

    assert [number for number, files in found.items() if files] == [7, 9]
    assert "Faults survived: 2 of 21" in faults.table(found)
    assert "| 8 |" in faults.table(found) and "nothing yet" in faults.table(found)
