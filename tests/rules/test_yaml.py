"""Strict YAML: what other loaders let pass, or die of."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.rules.load.desk import Desk
from audiencehub.rules.load.folder import read_segment
from audiencehub.rules.load.tree import MAX_BYTES, plain, read


def faults(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.message) for one in read("x.yaml", text.encode())[1]]


HOSTILE = {
    "duplicate key": ("a: 1\nb: 2\na: 3\n", 3, "twice; first on line 1"),
    "duplicate key in flow": ("x: {a: 1, 'a': 2}\n", 1, "twice"),
    "duplicate deep": ("x:\n  - {y: 1}\n  - y: 1\n    z: 2\n    y: 3\n", 5, "twice"),
    "anchor": ("a: &x 1\n", 1, "anchor &x"),
    "alias": ("a: &x 1\nb: *x\n", 2, "alias *x"),
    "merge key": ("a: 1\n<<: {b: 2}\n", 2, "merge key"),
    "python object": ("a: !!python/object/apply:os.system [x]\n", 1, "tag"),
    "own tag": ("a: !vault secret\n", 1, "tag !vault"),
    "core tag": ("a: !!str 1\n", 1, "tag"),
    "directive": ("%YAML 1.1\n---\na: 1\n", 1, "directive"),
    "two documents": ("a: 1\n---\na: 2\n", 2, "second document"),
    "key that is a list": ("? [a, b]\n: 1\n", 1, "no word"),
    "tab": ("a:\n\tb: 1\n", 2, "not YAML"),
    "unclosed": ("a: [1, 2\nb: 3\n", 2, "not YAML"),
    "bad escape": ('a: "\\q"\n', 1, "not YAML"),
    "control character": ("a: 1\nb: \x07\n", 2, "not YAML"),
    "too deep": ("a: " + "[" * 40 + "]" * 40, 1, "deeper than 32"),
    "much too deep": ("[" * 20_000, 1, "deeper than 32"),
    "too many nodes": ("a: [" + "1," * 20_001 + "]", 1, "more than 20000 nodes"),
    "too large": ("a: " + "x" * MAX_BYTES, 1, "larger than 256 KiB"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.fault(19)
def test_hostile_file_is_refused_with_its_line(name):
    """A trick of YAML that passes silently changes who is in a segment."""
    text, line, words = HOSTILE[name]

    found = faults(text)

    assert any(at == line and words in message for at, message in found), found


def test_billion_laughs_costs_nothing():
    """Nested aliases must not expand, neither now nor when the rule is printed."""
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    begun = time.perf_counter()

    tree, found = read("x.yaml", "\n".join(lines).encode())

    assert len(found) > 90
    assert len(str(plain(tree))) < 10_000
    assert time.perf_counter() - begun < 5


def test_not_utf8_names_the_line():
    """A file saved in another encoding must not be half read."""
    tree, found = read("x.yaml", b"a: 1\nb: \xff\xfe\n")

    assert tree is None
    assert [(one.line, one.message) for one in found] == [(2, "is not UTF-8 text")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("017", "017"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("12", 12),
        ("-3", -3),
        ("+4", 4),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("1.50", Decimal("1.50")),
        (".5", ".5"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2026-01-01", "2026-01-01"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("=", "="),
        ("12345678901234567890", "12345678901234567890"),
    ],
)
def test_plain_scalars_are_those_of_the_core(text, value):
    """`country: no` is Norway; dates, sexagesimals and octals are not guessed at."""
    tree, found = read("x.yaml", f"a: {text}\n".encode())

    got = tree.get("a").value

    assert not found
    assert got == value
    assert type(got) is type(value)


@given(st.binary(max_size=300))
@pytest.mark.fault(19)
def test_any_bytes_give_faults(raw):
    """No file of a user's may end in a traceback, nor be passed over."""
    desk = Desk("x.yaml")

    assert read_segment(desk, raw) is None
    assert desk.faults


@given(st.text(alphabet="ab:-{}[]&*!|>'\"#%@,? \n\t0", max_size=60))
def test_any_punctuation_gives_faults(text):
    """No condition may end in a traceback, whatever its punctuation."""
    desk = Desk("x.yaml")

    assert read_segment(desk, f"segment: x\nwhen: {text}\n".encode()) is None
    assert desk.faults
