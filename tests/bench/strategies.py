"""One way of evaluating the book, in a process of its own: prints what it took as JSON."""

from __future__ import annotations

import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from audiencehub.rules.compile import compile_book, run_changed
from audiencehub.rules.portable import Portable
from tests.bench import frames
from tests.bench.book import ZONE, sixty

CLOCK = datetime(2026, 11, 16, 9, tzinfo=UTC)
READ = {
    "contact": ("contact_id", "account_id", "title", "seniority", "department", "lifecycle_stage",
                "country", "birth_date", "created_at"),
    "account": ("account_id", "industry", "employee_count", "annual_revenue", "type", "country"),
    "event": ("contact_id", "name", "at", "path", "value"),
    "order": ("contact_id", "at", "total", "status"),
    "deal": ("account_id", "amount", "is_won", "is_closed", "close_date", "created_at"),
    "technology_install": ("account_id", "technology", "category", "first_detected_at"),
    "intent_signal": ("account_id", "topic", "score", "period_start", "period_end"),
}  # fmt: skip
Result = dict[str, Any]


class Meter:
    """CPU and wall seconds of a block."""

    def __enter__(self) -> Meter:
        self.cpu, self.wall = _cpu(), time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu, self.wall = _cpu() - self.cpu, time.monotonic() - self.wall

    def result(self, **more: Any) -> Result:
        """What it took, and the peak of the whole process so far."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"cpu": self.cpu, "wall": self.wall, "peak": peak, **more}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _open(path: Path, *settings: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path))
    own = ("TimeZone = 'UTC'", "enable_progress_bar = false")
    # As the warehouse is opened.
    without = "disabled_optimizers = 'join_filter_pushdown'"
    for setting in (*own, without, *settings):
        connection.execute(f"SET {setting}")
    return connection


def full(path: Path, *, young: bool, settings: tuple[str, ...] = ()) -> Result:
    """(a) The whole book on everyone, and the diff of its masks against others."""
    connection = _open(path, *settings)
    with Meter() as meter:
        connection.execute("BEGIN")
        compile_book(sixty(young=young), CLOCK).run(connection)
        connection.execute("COMMIT")
    peak = meter.result(sizes=_sizes(connection, young))
    connection.execute(
        "CREATE TEMP TABLE was AS SELECT contact_id, "
        "CASE WHEN contact_id % 20 = 0 THEN xor(w0, 5::UBIGINT) ELSE w0 END AS w0 "
        "FROM member_contact"
    )
    with Meter() as diff:
        connection.execute(
            "SELECT m.contact_id, m.w0 & ~o.w0, o.w0 & ~m.w0 FROM member_contact AS m "
            "FULL JOIN was AS o ON o.contact_id = m.contact_id WHERE m.w0 <> o.w0"
        ).fetchnumpy()
    return peak | {"diff_cpu": diff.cpu, "diff_wall": diff.wall}


def lean(path: Path, *, young: bool) -> Result:
    """(a) with little memory."""
    return full(path, young=young, settings=("memory_limit = '512MB'",))


def fast(path: Path, *, young: bool) -> Result:
    """(a) with tables of groups that are addressed directly."""
    return full(path, young=young, settings=("perfect_ht_threshold = 24",))


def hourly(path: Path, *, young: bool) -> Result:
    """(b) An hour later: a hundredth of the contacts changed."""
    return _again(path, timedelta(hours=1), "contact_id % 100 = 7", young)


def day(path: Path, *, young: bool) -> Result:
    """(c) A day later: edges of windows have moved, and a day's people were active."""
    return _again(path, timedelta(days=1), "contact_id % 40 = 7", young)


def _again(path: Path, later: timedelta, who: str, young: bool) -> Result:
    connection, book = _open(path), sixty(young=young)
    compile_book(book, CLOCK).run(connection)
    at = (CLOCK + later / 2).replace(tzinfo=None)
    connection.execute(
        'INSERT INTO event(contact_id, name, "at", path, value) '
        f"SELECT contact_id, 'page_view', TIMESTAMP '{at}', '/pricing', 1 FROM contact WHERE {who}"
    )
    connection.execute(f"UPDATE contact SET title = 'VP Data' WHERE {who} AND contact_id % 2 = 1")
    connection.execute(f"INSERT INTO touched SELECT 'contact', contact_id FROM contact WHERE {who}")
    connection.execute("CHECKPOINT")
    now = compile_book(book, CLOCK + later)
    with Meter() as meter:
        connection.execute("BEGIN")
        done = run_changed(now, connection)
        connection.execute("COMMIT")
    assert done, "the tables of the full pass stand"
    result = meter.result()
    connection.execute("CREATE TEMP TABLE quick AS SELECT * FROM match_contact")
    with Meter() as whole:
        now.run(connection)
    different = connection.execute(
        "SELECT count(*) FROM quick AS q FULL JOIN match_contact AS m USING (contact_id) "
        "WHERE q.w0 IS DISTINCT FROM m.w0"
    ).fetchall()[0][0]
    return result | {"full_cpu": whole.cpu, "different": different}


def read(path: Path, *, young: bool) -> Result:
    """(d) Every needed column once."""
    del young
    connection = _open(path)
    with Meter() as meter:
        _read(connection)
    return meter.result()


def group(path: Path, *, young: bool) -> Result:
    """(e) That, and one GROUP BY over the events."""
    del young
    connection = _open(path)
    with Meter() as meter:
        _read(connection)
        connection.execute(
            "CREATE TEMP TABLE grouped AS SELECT contact_id, count(*) FROM event GROUP BY 1"
        )
    return meter.result()


def _read(connection: duckdb.DuckDBPyConnection) -> None:
    for table, columns in READ.items():
        # A hash of each value keeps the engine from answering by statistics.
        hashes = ", ".join(f'bit_xor(hash("{one}"))' for one in columns)
        connection.execute(f'SELECT {hashes} FROM "{table}"').fetchall()


def portable(path: Path, *, young: bool) -> Result:
    """(f) One SQL statement for each rule."""
    connection, book = _open(path), sixty(young=young)
    rules = Portable(book)
    with Meter() as meter:
        connection.execute("CREATE TEMP TABLE chosen(segment VARCHAR, id INTEGER)")
        connection.execute("CREATE OR REPLACE TEMP VIEW member AS SELECT segment, id FROM chosen")
        for names in book.order():
            for name in names:
                one = rules.sql(name)
                connection.execute(
                    f"INSERT INTO chosen SELECT '{name}', id FROM ({one.sql})",
                    one.at(CLOCK, ZONE),
                )
    found = connection.execute("SELECT segment, count(*) FROM chosen GROUP BY 1").fetchall()
    return meter.result(sizes=dict(found))


def pandas(path: Path, *, young: bool) -> Result:
    """(g) pandas, rule by rule; loading is not counted."""
    del young
    tables = frames.load(str(path), "pandas")
    with Meter() as meter:
        sizes = frames.Pandas(tables, sixty(young=False), CLOCK).run()
    return meter.result(sizes=sizes)


def polars(path: Path, *, young: bool) -> Result:
    """(h) polars, lazily; loading is not counted."""
    del young
    tables = frames.load(str(path), "polars")
    with Meter() as meter:
        sizes = frames.Polars(tables, sixty(young=False), CLOCK).run()
    return meter.result(sizes=sizes)


def _sizes(connection: duckdb.DuckDBPyConnection, young: bool) -> dict[str, int]:
    book, found = sixty(young=young), {}
    bits = book.bits()
    for entity in ("contact", "account"):
        names = [n for n, s in book.segments.items() if s.of == entity]
        sums = ", ".join(f"sum((w{bits[n] // 64} >> {bits[n] % 64}) & 1::UBIGINT)" for n in names)
        row = connection.execute(f"SELECT {sums} FROM member_{entity}").fetchall()[0]
        found.update({n: int(count) for n, count in zip(names, row, strict=True)})
    return found


STRATEGIES: dict[str, Callable[..., Result]] = {
    one.__name__: one
    for one in (full, fast, lean, hourly, day, read, group, portable, pandas, polars)
}


def main() -> None:
    """STRATEGY FILE YOUNG: works on a copy of the file."""
    name, path, young = sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "young"
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        copy = Path(folder) / "copy.duckdb"
        shutil.copyfile(path, copy)
        print(json.dumps(STRATEGIES[name](copy, young=young)))


if __name__ == "__main__":
    main()
