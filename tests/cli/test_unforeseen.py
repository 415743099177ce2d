"""An error that nobody foresaw says where, and nothing of whom."""

from __future__ import annotations

import pytest

from audiencehub.cli import unforeseen

NAME = "Quillmotte"
"""Not written out below: lines of code are shown."""


def fails(value):
    try:
        return {}[value]
    except KeyError as error:
        raise ValueError(f"could not convert {value!r} at {value}@north.example") from error


def test_the_place_is_told_and_the_value_is_not():
    """If a value stands in it, whoever pastes the lines into a ticket tells of a person."""
    with pytest.raises(ValueError, match="could not convert") as met:
        fails(NAME)

    text = "\n".join(unforeseen.told(met.value))

    assert NAME not in text
    assert "KeyError: '…'" in text, "the cause is told too"
    assert "ValueError: could not convert '…' at [email]" in text
    assert "in fails" in text


def test_it_ends_the_process_as_a_failure(capsys):
    """A script around the hub looks at the exit code."""
    with pytest.raises(SystemExit) as met, unforeseen.told_plainly():
        fails(NAME)

    assert met.value.code == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert NAME not in said.err
    assert "report these lines" in said.err


def test_an_exit_passes():
    """Held plans exit 3, usage 2: none of that is a fault."""
    with pytest.raises(SystemExit) as met, unforeseen.told_plainly():
        raise SystemExit(3)

    assert met.value.code == 3
