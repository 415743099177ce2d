"""Linkage: pairs of records that may be one person though no key says so, by the model of
Fellegi and Sunter as splink fits it to the data at hand.

The e-mail address is not compared: its local part repeats the name, and two fields that say the
same thing twice make strangers of one name look like one person.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from audiencehub.errors import ConfigError

GROUPS: Mapping[str, tuple[str, ...]] = {
    "name": ("first_name", "last_name"),
    "birth_date": ("birth_date",),
    "phone": ("phone",),
    "place": ("postal_code", "city"),
    "street": ("street",),
    "company": ("company",),
}
"""Independent things to agree in, each with the columns that say it."""
BLOCKS = (
    ("first_name", "last_name"), ("birth_date",), ("phone",), ("postal_code", "last_name"),
    ("postal_code", "first_name"), ("street",), ("company", "last_name"),
)  # fmt: skip
"""Only records that are equal in one of these are compared."""
TRAINED_ON = (("birth_date",), ("last_name",), ("postal_code",), ("phone",), ("first_name",))
SURE = tuple(("first_name", "last_name", third) for third in ("birth_date", "postal_code", "phone"))
"""Equal in these is a match; taken to be 60 % of all matches, for the model's first guess."""
FILLED = 0.05
"""A column filled in fewer records teaches nothing."""
SCORE, AGREE = 0.99, 2
SEED = 1
LEAST = 50
"""Fewer records fit no model."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records, `left` < `right`, the probability that they are one, and where they agree."""

    left: int
    right: int
    score: float
    fields: tuple[str, ...]


def pairs(records: pa.Table) -> list[Pair]:
    """Likely pairs of `records`: columns own, source, and any of those in GROUPS, as text.

    Raises ConfigError where splink is not installed.
    """
    used = [
        name
        for columns in GROUPS.values()
        for name in columns
        if name in records.column_names and _filled(records, name) >= FILLED
    ]
    if records.num_rows < LEAST or not used:
        return []
    return _agreeing(_scored(records, used), used)


def _filled(records: pa.Table, name: str) -> float:
    column = records.column(name)
    return 1 - int(column.null_count) / max(1, len(column))


def _scored(records: pa.Table, used: Sequence[str]) -> list[dict[str, Any]]:
    try:
        import duckdb
        import splink.comparison_library as compare
        from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    except ImportError:
        raise ConfigError(
            "Suggestions need splink, which is not installed.",
            hint="Run: pip install 'audiencehub[suggest]'",
        ) from None
    logging.getLogger("splink").setLevel(logging.ERROR)
    comparisons = {
        "first_name": lambda c: compare.JaroWinklerAtThresholds(c, [0.92, 0.85]),
        "last_name": lambda c: compare.JaroWinklerAtThresholds(c, [0.92, 0.85]),
        "birth_date": lambda c: compare.DamerauLevenshteinAtThresholds(c, [1, 2]),
        "postal_code": lambda c: compare.DamerauLevenshteinAtThresholds(c, [1]),
        "city": lambda c: compare.JaroWinklerAtThresholds(c, [0.9]),
        "street": lambda c: compare.JaroWinklerAtThresholds(c, [0.9]),
        "phone": lambda c: compare.DamerauLevenshteinAtThresholds(c, [1]),
        "company": compare.ExactMatch,
    }
    blocks: list[Any] = [block_on(*rule) for rule in BLOCKS if set(rule) <= set(used)]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="own",
        comparisons=[comparisons[name](name) for name in used],
        blocking_rules_to_generate_predictions=blocks,
        additional_columns_to_retain=["source"],
        retain_intermediate_calculation_columns=True,
        max_iterations=20,
    )
    with duckdb.connect() as connection:
        connection.execute(f"SELECT setseed({SEED / 10})").fetchall()
        engine = DuckDBAPI(connection)
        linker = Linker(engine.register(records), settings, log_level=logging.ERROR)
        sure: list[Any] = [block_on(*rule) for rule in SURE if set(rule) <= set(used)]
        if sure:
            linker.training.estimate_probability_two_random_records_match(sure, recall=0.6)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=SEED)
        for rule in TRAINED_ON:
            if set(rule) <= set(used):
                linker.training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
        found = linker.inference.predict(threshold_match_probability=SCORE)
        rows: list[dict[str, Any]] = found.as_duckdbpyrelation().to_arrow_table().to_pylist()
        return rows


def _agreeing(rows: Sequence[Mapping[str, Any]], used: Sequence[str]) -> list[Pair]:
    """Pairs that agree in two independent things, and between two sources the only such pair."""
    found = []
    for row in rows:
        fields = tuple(
            group
            for group, columns in GROUPS.items()
            if _agrees([row[f"gamma_{name}"] for name in columns if name in used])
        )
        if len(fields) >= AGREE:
            low, high = sorted((row["own_l"], row["own_r"]))
            across = row["source_l"] != row["source_r"]
            found.append((across, Pair(low, high, float(row["match_probability"]), fields)))
    rivals = Counter(own for across, pair in found if across for own in (pair.left, pair.right))
    return sorted(
        (
            pair
            for across, pair in found
            if not across or rivals[pair.left] == rivals[pair.right] == 1
        ),
        key=lambda pair: (pair.left, pair.right),
    )


def _agrees(levels: Sequence[int]) -> bool:
    """Level -1: one of the two is empty; 0: they differ; above: the same, or nearly so."""
    known = [level for level in levels if level >= 0]
    return bool(known) and min(known) > 0
