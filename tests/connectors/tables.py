"""What can be wrong with a page of bulk results, which are CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.connectors.front import Answer
from tests.connectors.pathology import JSON, Change, bodied, headed, kind_of, typed


def rows_of(answer: Answer) -> list[list[str]] | None:
    """The true rows of a CSV answer, header first."""
    if kind_of(answer) != "text/csv":
        return None
    return list(csv.reader(io.StringIO(answer.body.decode(), newline="")))


def table(change: Callable[[list[list[str]]], list[list[str]] | None]) -> Change:
    """The CSV written anew."""

    def spoil(answer: Answer) -> Answer | None:
        rows = rows_of(answer)
        made = change(rows) if rows and len(rows) > 2 else None
        if made is None or made == rows:
            return None
        out = io.StringIO()
        csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(made)
        return replace(answer, body=out.getvalue().encode())

    return spoil


def of_csv(change: Change) -> Change:
    """A change of bytes, only where the answer is CSV."""
    return lambda answer: change(answer) if kind_of(answer) == "text/csv" else None


CSV: Mapping[str, Change] = {
    "CSV without header": table(lambda r: r[1:]),
    "CSV without a row": table(lambda r: r[:-1]),
    "CSV of a header alone": table(lambda r: r[:1]),
    "CSV with a row twice": table(lambda r: [*r, r[-1]]),
    "CSV with a row in place of another": table(lambda r: [*r[:-1], r[1]]),
    "CSV of the same row": table(lambda r: [r[0], *[r[1]] * (len(r) - 1)]),
    "CSV with a column less": table(lambda r: [row[:-1] for row in r]),
    "CSV with a column more": table(lambda r: [[*row, "x"] for row in r]),
    "CSV with a column twice": table(lambda r: [[*row[:-1], row[0]] for row in r]),
    "CSV with a column renamed": table(lambda r: [[*r[0][:-1], "Nonsense"], *r[1:]]),
    "CSV without Id": table(lambda r: [row[1:] for row in r]),
    "CSV with an Id emptied": table(lambda r: [*r[:-1], ["", *r[-1][1:]]]),
    "CSV with an Id of blanks": table(lambda r: [*r[:-1], ["  ", *r[-1][1:]]]),
    "CSV with a short row": table(lambda r: [*r[:-1], r[-1][:-1]]),
    "CSV with a long row": table(lambda r: [*r[:-1], [*r[-1], "x"]]),
    "CSV with its header twice": table(lambda r: [r[0], *r]),
    "CSV by semicolons": of_csv(lambda a: replace(a, body=a.body.replace(b",", b";"))),
    "CSV by tabs": of_csv(lambda a: replace(a, body=a.body.replace(b",", b"\t"))),
    "CSV without quotes": of_csv(lambda a: replace(a, body=a.body.replace(b'"', b""))),
    "CSV with an open quote": of_csv(lambda a: replace(a, body=a.body + b'"open')),
    "CSV cut at a line": of_csv(lambda a: replace(a, body=b"\n".join(a.body.split(b"\n")[:-3]))),
    "CSV of blanks": of_csv(bodied(b" \n \n")),
    "CSV that is JSON": of_csv(bodied(b"[]")),
    "CSV called JSON": of_csv(lambda a: typed(a, JSON)),
    "CSV in latin-1": of_csv(
        lambda a: replace(a, body=a.body.decode().encode("latin-1", "replace") + b"\xe9")
    ),
    "no locator": of_csv(
        lambda a: replace(a, headers={k: v for k, v in a.headers.items() if k != "sforce-locator"})
    ),
    "no count": of_csv(
        lambda a: replace(
            a, headers={k: v for k, v in a.headers.items() if k != "sforce-numberofrecords"}
        )
    ),
    "the same locator": of_csv(lambda a: headed(a, **{"sforce-locator": "MTAwMDA"})),
    "an early end": of_csv(
        lambda a: (
            headed(a, **{"sforce-locator": "null"})
            if a.headers.get("sforce-locator") != "null"
            else None
        )
    ),
    "an empty locator": of_csv(lambda a: headed(a, **{"sforce-locator": ""})),
    "a count of a word": of_csv(lambda a: headed(a, **{"sforce-numberofrecords": "all"})),
    "a count of none": of_csv(lambda a: headed(a, **{"sforce-numberofrecords": "0"})),
    "a negative count": of_csv(lambda a: headed(a, **{"sforce-numberofrecords": "-1"})),
}
"""Of a page of bulk results."""
