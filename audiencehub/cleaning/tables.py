"""The tables under `data/`, read once, and the key under which names are looked up in them."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

_UNLIKE = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
"""Letters that Unicode does not take apart into a base and a mark."""
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]")
"""Marks that people leave out: of the European scripts, and the vowels of Hebrew and Arabic. The
marks of other scripts make other letters."""
_SIGNS = re.compile(r"[^\w\u0900-\u0dff\u0e00-\u0eff\u3099\u309a]|_")


def _read(name: str) -> str:
    return resources.files("audiencehub.cleaning").joinpath(f"data/{name}").read_text("utf-8")


@cache
def rows(name: str) -> Sequence[Mapping[str, str]]:
    """The rows of a CSV table, in its order."""
    return tuple(csv.DictReader(_read(name).splitlines()))


@cache
def words(name: str) -> frozenset[str]:
    """A list of one word per line."""
    return frozenset(_read(name).split())


def key(text: str) -> str:
    """What two spellings of a name share: letters and digits without case, accents and signs,
    one blank between words. `Côte d'Ivoire` and `COTE D IVOIRE` are `cote d ivoire`."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).casefold().translate(_UNLIKE)
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
        text = unicodedata.normalize("NFC", text)
    return " ".join(_SIGNS.sub(" ", text.lower()).split())


@cache
def vocabulary(kind: str) -> Mapping[str, str]:
    """Alias to value, of one kind of `vocabulary.csv`; every value is an alias of itself."""
    mine = [row for row in rows("vocabulary.csv") if row["kind"] == kind]
    own = {key(row["value"]): row["value"] for row in mine}
    return {**own, **{key(row["alias"]): row["value"] for row in mine}}
