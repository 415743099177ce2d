"""How one kind of file is read: a frozen record, made from a preset or from options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Format = Literal["csv", "jsonl", "parquet", "words"]
"""`words`: columns parted by blanks."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """One canonical row that a record becomes."""

    table: str
    columns: Mapping[str, str]
    """Canonical field or link to column."""
    optional: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """The same, where the file need not have the column."""
    constants: Mapping[str, str] = field(default_factory=dict)
    convert: Mapping[str, str] = field(default_factory=dict)
    """Canonical field to the name of a conversion (`convert.CONVERT`)."""
    key: tuple[str, ...] = ()
    """Columns whose values make the row's id; none: the file and the line."""
    required: tuple[str, ...] = ()
    """Canonical fields without which the record is set aside."""
    observed: str = ""
    """Canonical field that says when the source last changed the record."""
    origin: str = ""
    """Canonical field that gets the file and the line."""
    dated: bool = False
    """The row gets period_start and period_end."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file."""

    format: Format
    maps: tuple[Mapped, ...]
    header: tuple[str, ...] = ()
    """Column names where the file has no header line."""
    skip: int = 0
    """Lines before the data that are neither header nor record."""
    encoding: str = "utf-8"
    delimiter: str = ","
    paths: tuple[str, ...] = ()
    """Where the files are when options do not say."""
    package: tuple[str, str, str] | None = None
    """Distribution, version and the file inside it, instead of a path."""
    missing: str = ""
    """How to get the file when it is not there."""

    @property
    def stream(self) -> str:
        """The name of the stream: the first canonical table."""
        return self.maps[0].table

    def widened(self, custom: Mapping[str, Mapping[str, str]]) -> Layout:
        """The same with more columns: canonical table to field to column."""
        maps = [replace(m, columns={**m.columns, **custom.get(m.table, {})}) for m in self.maps]
        return replace(self, maps=tuple(maps))

    @property
    def used(self) -> frozenset[str]:
        """Columns without which nothing can be read."""
        named = {column for one in self.maps for column in one.columns.values()}
        return frozenset(named | {column for one in self.maps for column in one.key})
