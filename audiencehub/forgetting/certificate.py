"""The certificate: who was forgotten (as a keyed digest), by whom and why, and the proof of it."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiencehub.forgetting.places import ACCEPTED
from audiencehub.ledger import Forgetting
from audiencehub.settings import Settings

WIDTH = 100
SHORT = 16
"""Characters of the HMAC id that name a person on a command line."""
BACKUPS = (
    "Backups that the hub keeps beside the ledger were replaced by one made after it. Copies of "
    "this environment's folder that lie elsewhere are not reached from here: delete them, or let "
    "them expire under your backup policy. After a restore from one run the same command again: "
    "the restored ledger does not know of it."
)
SOURCES = (
    "The hub reads these and writes nothing but tags and lists to them: their own records of the "
    "person stay until they are deleted there. Until then every pull leaves them out."
)


def draw(
    settings: Settings, request: Forgetting, counts: Mapping[str, int], finished: str
) -> dict[str, Any]:
    """The certificate as JSON values, from what the steps noted."""
    found = request.found
    places = list(found["places"])
    return {
        "certificate": 1,
        "person": request.person,
        "environment": settings.env,
        "asked_at": request.asked_at.isoformat(),
        "finished_at": finished,
        "by": request.who,
        "reason": request.reason,
        "identifiers": {"erased": dict(counts), "shared_with_others": found["shared"]},
        "destinations": places,
        "cannot_prove_deletion": [one["target"] for one in places if one["outcome"] == ACCEPTED],
        "removed": {
            "landing": found["pages"],
            "warehouse": found["warehouse"],
            "ledger": found["ledger"],
            "files": found["files"],
        },
        "tombstones": sum(counts.values()),
        "searched": found["searched"],
        "sources": found["sources"],
        "backups": BACKUPS,
    }


def text(certificate: Mapping[str, Any]) -> str:
    """The certificate as a page of text, 100 columns at most."""
    removed, searched = certificate["removed"], certificate["searched"]
    erased = certificate["identifiers"]["erased"]
    shared = certificate["identifiers"]["shared_with_others"]
    pages, rebuilt = removed["landing"], removed["warehouse"]
    lines = [
        "CERTIFICATE OF ERASURE",
        "",
        f"person       {certificate['person']}",
        f"environment  {certificate['environment']}",
        f"asked        {certificate['asked_at']}",
        f"finished     {certificate['finished_at']}",
        f"by           {certificate['by']}",
        *_fold("reason       ", certificate["reason"]),
        *_fold("identifiers  ", _counts(erased)),
    ]
    if shared:
        lines += _fold("             ", f"also somebody else's, and kept there: {_counts(shared)}")
    lines += ["", "Destinations"]
    for one in certificate["destinations"]:
        lines += _fold("  ", f"{one['target']}: {one['outcome']}")
        for key in ("at", "proof", "note"):
            if one.get(key):
                lines += _fold("      ", f"{key}: {one[key]}" if key != "note" else one[key])
    lines += [
        "",
        "Removed here",
        *_fold("  landing    ", f"{pages['pages']:,} pages written anew"),
        *_fold("             ", f"records of the person: {_counts(pages['dropped'])}"),
        *_fold("             ", f"records of others that named them: {_counts(pages['blanked'])}"),
        *_fold("  warehouse  ", f"made anew in a new file; before: {_counts(rebuilt['rows'])}"),
        *_fold("  ledger     ", f"rows without a name now: {_counts(removed['ledger'])}"),
        *_fold("  files      ", f"{removed['files']:,} others blanked"),
        "",
        "Proof",
        *_fold(
            "  ",
            f"{searched['files']:,} files, {searched['bytes']:,} bytes, were searched for "
            f"{searched['spellings']:,} spellings and hashes: {searched['found']:,} found.",
        ),
        *_fold("  ", f"{certificate['tombstones']:,} tombstones keep the person from returning."),
    ]
    if certificate["sources"]:
        lines += ["", "Sources that have the person", *_fold("  ", _counts(certificate["sources"]))]
        lines += _fold("  ", SOURCES)
    lines += ["", "Backups", *_fold("  ", certificate["backups"])]
    return "\n".join(lines) + "\n"


def write(settings: Settings, certificate: Mapping[str, Any]) -> Path:
    """Both forms under `certificates/`, durable, mode 0600; the path of the text."""
    folder = settings.folder / "certificates"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = str(certificate["person"])[:SHORT]
    both = {
        "json": json.dumps(certificate, indent=2, ensure_ascii=False) + "\n",
        "txt": text(certificate),
    }
    for suffix, content in both.items():
        draft = folder / f".{stem}.{suffix}"
        draft.touch(mode=0o600)
        with draft.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(folder / f"{stem}.{suffix}")
    return folder / f"{stem}.txt"


def _counts(found: Mapping[str, int]) -> str:
    listed = (f"{count:,} {name}" for name, count in sorted(found.items()) if count)
    return ", ".join(listed) or "none"


def _fold(head: str, content: str) -> list[str]:
    """Text under a head; the rest of it is set in by as much."""
    return textwrap.wrap(
        content,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=True,
        break_on_hyphens=False,
    ) or [head.rstrip()]
