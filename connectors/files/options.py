"""The options of a files entry: a preset, or a mapping of one's own.

[sources.events.options]
path = "drops/webinars-*.csv"        # relative to the project, or below `root`
table = "event"
format = "csv"
columns = { contact_email = "E-mail", at = "Joined", campaign = "Webinar" }
constants = { name = "webinar", channel = "web" }
key = ["Registration"]               # left out: the file and the line
"""

from __future__ import annotations

import codecs
from difflib import get_close_matches
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audiencehub.canonical import TABLES
from connectors.files.convert import CONVERT, period
from connectors.files.layout import Layout, Mapped
from connectors.files.presets import PRESETS

_OF_MAPPING = ("table", "columns", "constants", "convert", "key", "header", "required", "observed")
LINKS = ("contact_ref", "account_ref", "contact_email", "account_domain", "contact_external_id")
Preset = Literal[
    "bombora",
    "cdnow",
    "consent_csv",
    "emails_jsonl",
    "events_jsonl",
    "order_lines_csv",
    "orders_csv",
    "subscriptions_csv",
    "surveys_csv",
    "tickets_csv",
]
Encoding = Literal["utf-8", "cp1252", "iso-8859-1", "iso-8859-15", "windows-1250", "ascii"]
"""Encodings in which a line break is one byte of its own; a UTF-8 byte order mark is skipped."""


class FilesOptions(BaseModel):
    """Which files, and what their columns mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: Preset | None = None
    path: str | list[str] = Field(default_factory=list)
    """Files, with `*`, `?` and `[…]` in any part of the path. `${NAME}` at the beginning is a
    folder from the environment, which then is the root."""
    root: str = ""
    """Nothing outside this folder is read; the project folder when empty."""
    snapshot: bool = False
    """The files are whole each time: what is no longer in them is gone."""
    period: str = ""
    """For intent: `2015-07`, `2026-11-09` (that week) or `2026-11-09/2026-11-22`; when empty, the
    week whose Monday stands in the file's name."""
    table: str = ""
    format: Literal["csv", "jsonl", "parquet", "words"] = "csv"
    encoding: Encoding = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    header: list[str] = Field(default_factory=list)
    """Column names of files without a header line."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Canonical field (or link) to column."""
    constants: dict[str, str] = Field(default_factory=dict)
    convert: dict[str, str] = Field(default_factory=dict)
    key: list[str] = Field(default_factory=list)
    """Columns that together name a record; left out: the file and the line."""
    required: list[str] = Field(default_factory=list)
    observed: str = ""
    """The field that says when the record last changed."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.period and period(self.period) is None:
            raise ValueError("period: write 2015-07, 2026-11-09 or 2026-11-09/2026-11-22")
        if self.preset:
            own = [name for name in _OF_MAPPING if getattr(self, name)]
            if own:
                raise ValueError(f"preset {self.preset} already says {own[0]}; remove one of them")
            if not self.path and not self.layout.paths and not self.layout.package:
                raise ValueError('path is missing; write path = "drops/…"')
            return self
        self._declared()
        return self

    def _declared(self) -> None:
        if self.table not in TABLES:
            near = get_close_matches(self.table, TABLES, 1) or sorted(TABLES)
            raise ValueError(f"table {self.table!r} is none; use {', '.join(near)}, or a preset")
        if not self.path or not self.columns:
            raise ValueError("path and columns are needed; or a preset")
        fields = [*(one.name for one in TABLES[self.table].fields), *LINKS]
        named = {*self.columns, *self.constants, *self.convert, *self.required, self.observed}
        for name in sorted(named - {*fields, ""}):
            near = get_close_matches(name, fields, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"{self.table} has no field {name!r}{meant}")
        for name in sorted(set(self.convert.values()) - set(CONVERT)):
            raise ValueError(f"there is no conversion {name!r}; use {', '.join(sorted(CONVERT))}")

    @property
    def layout(self) -> Layout:
        """How the files are read."""
        if self.preset:
            return PRESETS[self.preset]
        return Layout(
            format=self.format,
            header=tuple(self.header),
            encoding=codecs.lookup(self.encoding).name,
            delimiter=self.delimiter,
            maps=(
                Mapped(
                    self.table,
                    self.columns,
                    self.constants,
                    self.convert,
                    tuple(self.key),
                    tuple(self.required),
                    self.observed,
                    dated=self.table == "intent_signal" and "period_start" not in self.columns,
                ),
            ),
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """The patterns to look for."""
        own = [self.path] if isinstance(self.path, str) else self.path
        return tuple(own) or self.layout.paths
