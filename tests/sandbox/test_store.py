from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from audiencehub.sandbox.clock import START, SandboxClock
from audiencehub.sandbox.store import Store

KEYS = st.sampled_from(["a", "b", "c", "ключ", ""])
DOCUMENTS = st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.text(max_size=5))
STEPS = st.lists(
    st.tuples(st.just("set"), KEYS, DOCUMENTS)
    | st.tuples(st.just("delete"), KEYS, st.none())
    | st.tuples(st.just("clear"), st.none(), st.none())
    | st.tuples(st.just("put"), st.none(), st.dictionaries(KEYS, DOCUMENTS, max_size=3)),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_a_reopened_store_holds_what_a_dict_would(steps):
    """A fake that forgets or revives a write between two syncs proves nothing about the second."""
    with tempfile.TemporaryDirectory() as folder:
        path, expected = Path(folder) / "toy.sqlite", {}
        store = Store(path)
        table = store.table("notes")
        for op, key, value in steps:
            if op == "set":
                table[key] = expected[key] = value
            elif op == "delete" and key in expected:
                del table[key], expected[key]
            elif op == "clear":
                table.clear()
                expected.clear()
            elif op == "put":
                table.put(value)
                expected.update(value)
        assert dict(table) == expected
        other = Store(path)  # the first is still open: as after a kill
        assert dict(other.table("notes")) == expected
        assert list(other.table("notes")) == list(expected)
        other.close()
        store.close()


def test_tables_of_one_store_do_not_mix():
    """Faults, writes and records share one file and must not overwrite each other."""
    store = Store()
    store.table("a")["1"] = {"x": 1}
    store.table("b")["1"] = {"x": 2}
    assert store.table("a")["1"] == {"x": 1}
    store.clear()
    assert not store.table("a")
    assert not store.table("b")


def test_the_clock_stands_still_until_it_is_moved(tmp_path):
    """Every run of the demo must see the same dates, so machine time may not leak in."""
    store = Store(tmp_path / "clock.sqlite")
    clock = SandboxClock(store)
    assert clock.now() == clock.now() == START
    stamps = [clock.tick() for _ in range(3)]
    assert stamps == [START + timedelta(milliseconds=n) for n in (1, 2, 3)]
    clock.next_day()
    assert (clock.now(), clock.day) == (START + timedelta(days=1), 1)
    store.close()
    again = SandboxClock(Store(tmp_path / "clock.sqlite"))
    assert (again.now(), again.day) == (START + timedelta(days=1), 1)
