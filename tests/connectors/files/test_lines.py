"""Bad bytes: every line is a record or a named fault, and its neighbours are unharmed."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files.lines import MAX_LINE, MAX_LINES, csv_lines, json_lines, word_lines


def read(data, kind=csv_lines, *more):
    """(line, values or fault) of each record."""
    data = data if isinstance(data, bytes) else data.encode()
    more = more or ((",",) if kind is csv_lines else ())
    return [(one.number, one.fault or one.values) for one in kind(io.BytesIO(data), "utf-8", *more)]


FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=20)


@given(
    rows=st.lists(st.lists(FIELD, min_size=2, max_size=5), max_size=8),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_what_python_writes_as_csv_comes_back(rows, ending):
    """A value that changes on the way in is wrong everywhere after."""
    out = io.StringIO()
    csv.writer(out, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(rows)

    assert [values for _, values in read(out.getvalue())] == rows


VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | FIELD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELD, inner, max_size=3),
    max_leaves=8,
)


@given(
    objects=st.lists(st.dictionaries(FIELD, VALUE, max_size=4), max_size=6), escaped=st.booleans()
)
def test_what_python_writes_as_json_lines_comes_back(objects, escaped):
    """Escapes that look like control characters are ordinary text."""
    text = "".join(json.dumps(one, ensure_ascii=escaped) + "\n" for one in objects)

    assert [values for _, values in read(text, json_lines)] == objects


@given(st.binary(max_size=300))
def test_any_bytes_are_read_to_the_end(data):
    """No byte crashes a reader or makes it stop early: the last line is always reached."""
    for kind in (csv_lines, json_lines, word_lines):
        found = read(data + b"\n" + (b'{"last": 1}' if kind is json_lines else b"last,1"), kind)
        numbers = [number for number, _ in found]

        assert numbers == sorted(set(numbers))
        assert all(1 <= number <= data.count(b"\n") + 2 for number in numbers)
        assert found


def test_line_breaks_in_quotes_belong_to_the_record():
    """Counting physical lines as records would cut notes in two."""
    assert read('a,"x\ny\r\nz",c\nnext,1,2\n') == [
        (1, ["a", "x\ny\nz", "c"]),
        (4, ["next", "1", "2"]),
    ]


def test_a_quote_that_never_closes_costs_one_line_only():
    """csv swallows the rest of the file into one field."""
    rest = [f"row{n},{n}" for n in range(500)]

    found = read('bad,"open\n' + "\n".join(rest))

    assert found[0] == (1, "quote")
    assert found[1:] == [(n + 2, [f"row{n}", str(n)]) for n in range(500)]


def test_stray_quotes_inside_a_field_are_text():
    """Inches are written so."""
    assert read('5" pipe,1\n6" pipe,2\n') == [(1, ['5" pipe', "1"]), (2, ['6" pipe', "2"])]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'"a"b,1', "quote"),
        (b"a\xff,1", "encoding"),
        (b"a\x00b,1", "nul_byte"),
        (b"x" * (MAX_LINE + 5), "too_long"),
    ],
)
def test_a_bad_csv_line_is_named_and_the_next_is_read(line, fault):
    """One bad line must not end the file."""
    assert read(b"ok,1\n" + line + b"\nok,2") == [(1, ["ok", "1"]), (2, fault), (3, ["ok", "2"])]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"{", "json"),
        (b"[1]", "json"),
        (b'"text"', "json"),
        (b'{"a": NaN}', "json"),
        (b"[" * 50_000, "json"),
        (b'{"a": ' * 100 + b"1" + b"}" * 100, "json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "json"),
        (b'{"a": "\\ud800"}', "json"),
        (b'{"a": "\\u0000"}', "nul_byte"),
        (b'{"a": "\xff"}', "encoding"),
        (b'{"a": \x00}', "nul_byte"),
    ],
)
def test_a_bad_json_line_is_named_and_the_next_is_read(line, fault):
    """What cannot be stored later is refused here, by name."""
    assert read(b"{}\n" + line + b"\n{}", json_lines) == [(1, {}), (2, fault), (3, {})]


def test_a_byte_order_mark_is_no_part_of_the_first_column():
    """Excel writes one."""
    assert read(b"\xef\xbb\xbfemail,at\n") == [(1, ["email", "at"])]


def test_a_record_of_too_many_lines_is_a_fault_at_its_first():
    """A quote that closes a thousand lines later is an accident."""
    found = read('a,"' + "x\n" * (MAX_LINES + 50) + '",b\nok,1')

    assert found[0] == (1, "quote")
    assert found[-1][1] == ["ok", "1"]
