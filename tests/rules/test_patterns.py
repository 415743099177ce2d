"""Patterns mean the same in Python, in DuckDB (RE2) and in PostgreSQL."""

from __future__ import annotations

from random import Random

import duckdb
import pytest

from audiencehub.rules.language.patterns import BadPattern, translate
from audiencehub.rules.portable.patterns import posix

COUNT = 400
ATOMS = [
    *"abkKsS.iIéÉß _-x\n|^$/#'\"%&~}\t\r",
    *("\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "\\.", "\\-", "\\$", "\\\\", "\\(", "\\)", "\\|"),
    *("[a-c]", "[^a]", "[]a]", "[^]b]", "[a-]", "[-a]", "[\\w-]", "[\\d.]", "[\\]x]", "[\\s]"),
    *("[À-Ö]", "[a-zA-Z]", "[K-M]", "[^k]", "[.]", "[*]", "[(]", "[\\-a]", "[h-jİ]"),
    *("\u212a", "ſ", "ı", "İ", "😀", "[😀-😂]"),
]
REPEATS = ["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?", "??", "{0}", "{260}", "{0,300}"]
REPEATS += ["{256,}", "{2}?"]
LETTERS = "abkKsSiIéÉß _-x\n.$\\]*(){}|^/\t\r0129\u212aſ😀😁ÀÖàö#'\"%&~+,İı"


def pattern(random: Random, depth: int = 2) -> str:
    """A random pattern; many are refused."""
    out = ""
    for _ in range(random.randrange(4)):
        if depth and random.random() < 0.25:
            out += random.choice(("(", "(?:")) + pattern(random, depth - 1) + ")"
        else:
            out += random.choice(ATOMS)
        out += random.choice(REPEATS) if random.random() < 0.3 else ""
    return out


def texts(random: Random) -> list[str]:
    """Short texts over the letters that patterns name, and some long ones."""
    short = ["".join(random.choices(LETTERS, k=random.randrange(5))) for _ in range(150)]
    return [*short, "", "a" * 260, "a" * 300, "ab\n", "\na"]


@pytest.mark.needs("postgres")
def test_patterns_mean_the_same_everywhere(postgres):
    """A pattern that means something else on another engine tags other people there."""
    random = Random(20261116)
    given = texts(random)
    different, count = {}, 0
    there = postgres.connection
    there.rollback()
    there.execute(
        "CREATE TEMP TABLE sample AS SELECT * FROM unnest(%(x)s::text[]) AS s(x)", {"x": given}
    )
    with duckdb.connect() as here:
        here.execute("CREATE TABLE sample AS SELECT unnest($x::VARCHAR[]) AS x", {"x": given})
        while count < COUNT:
            said = ("(?i)" if random.random() < 0.4 else "") + pattern(random)
            try:
                found = [one for one in given if translate(said).search(one)]
                query = "SELECT x FROM sample WHERE regexp_matches(x, $p)"
                local = [row[0] for row in here.execute(query, {"p": said}).fetchall()]
            except (BadPattern, duckdb.Error):
                continue
            query = "SELECT x FROM sample WHERE x ~ %(p)s"
            remote = [row[0] for row in there.execute(query, {"p": posix(said)}).fetchall()]
            count += 1
            if not sorted(found) == sorted(local) == sorted(remote):
                different[said] = (set(found) ^ set(local), set(found) ^ set(remote))
    there.rollback()

    assert different == {}


@pytest.mark.parametrize("said", ["a(?:)", "()b", "[+--]", "(?i)[i"])
def test_what_differs_is_refused(said):
    """DuckDB finds nothing by a pattern with an empty group; Python warns of -- in a class."""
    with pytest.raises(BadPattern):
        translate(said)


@pytest.mark.parametrize("said", ["(?i)istanbul", "(?i)[a-z]stanbul", "(?i)\\wstanbul"])
def test_the_dotted_capital_is_no_case_of_i(said):
    """Python says it is and RE2 says it is not: explain would contradict the segment."""
    assert translate(said).search("ISTANBUL")
    assert not translate(said).search("İstanbul")
    assert translate("(?i)İstanbul").search("İSTANBUL")
