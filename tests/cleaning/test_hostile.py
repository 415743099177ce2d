"""Hostile values of every kind through every cleaner: a value or a named reason, and soon."""

from __future__ import annotations

import time
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.cleaning import BY_TYPE, CLEANERS, Unclean
from audiencehub.cleaning.basic import INVISIBLE
from audiencehub.cleaning.company import company_norm
from audiencehub.cleaning.derive import derive
from audiencehub.cleaning.job import department_of, seniority_of

from .nasty import OTHERS, STRINGS, deep

HOMES = (None, "US", "DE", "XX", "")
ALL = {**{f"type {name}": one for name, one in BY_TYPE.items()}, **CLEANERS}
REFUSING = sorted(set(ALL) - {"type json"})


def outcome(cleaner: Any, raw: Any, home: str | None) -> tuple[Any, str]:
    try:
        return cleaner(raw, {"country": home}), ""
    except Unclean as refusal:
        return None, refusal.reason


def check(name: str, raw: Any, home: str | None) -> None:
    value, reason = outcome(ALL[name], raw, home)
    if reason:
        assert reason.isidentifier()
        return
    assert value is None or isinstance(
        value, str | int | float | bool | Decimal | date | datetime | list
    )
    if isinstance(value, str):
        value.encode()
        assert "\x00" not in value
        if name != "type json":
            assert outcome(ALL[name], value, home) == (value, ""), "clean values stay as they are"


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_nasty_value_gets_a_verdict_soon(name):
    """If it fails, one record of a hostile or broken source stops or stalls everyone's sync."""
    for kind, raw in {**STRINGS, **OTHERS, "deep": deep()}.items():
        began = time.perf_counter()
        for home in HOMES:
            try:
                check(name, raw, home)
            except Exception as error:
                raise AssertionError(f"{name} on {kind}") from error
        assert time.perf_counter() - began < 2, f"{name} on {kind}"


ANY = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(categories=["L", "M", "N", "P", "S", "Z", "C"]), max_size=30),
    st.text("0123456789+-.,()xe /kmb<>", max_size=24),
    st.sampled_from(sorted(STRINGS.values(), key=len)[:180]).flatmap(
        lambda one: st.text(max_size=4).map(lambda more: one + more)
    ),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.lists(st.text(max_size=5), max_size=3),
)


@given(st.sampled_from(sorted(ALL)), ANY, st.sampled_from(HOMES))
def test_any_value_gets_a_verdict(name, raw, home):
    """If it fails, a value that nobody thought of stops the run, or is not the same twice."""
    check(name, raw, home)


@given(st.text())
def test_text_is_not_changed_in_silence(raw):
    """If it fails, names lose letters on their way through the hub."""
    value, reason = outcome(CLEANERS["text"], raw, None)

    if not reason:
        edges = "".join(one for one in map(chr, range(0x10000)) if _edge(one))
        assert (value or "") == unicodedata.normalize("NFC", raw).strip(edges)


def _edge(one: str) -> bool:
    return one.isspace() or ord(one) in _INVISIBLE


_INVISIBLE = {
    0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF
}  # fmt: skip


def test_the_edges_are_those_of_the_cleaner():
    """If it fails, the law above trims other marks than the cleaner does."""
    assert len(INVISIBLE) == 12


@pytest.mark.parametrize("kind", sorted(STRINGS))
def test_what_is_read_from_names_survives_them_too(kind):
    """If it fails, a title or a company name stops the run that cleaning let through."""
    raw = STRINGS[kind][:4000]

    began = time.perf_counter()
    assert company_norm(company_norm(raw)) == company_norm(raw)
    seniority_of(raw)
    department_of(raw)
    derive("contact", {"title": raw, "country": "US", "email": "a@b.example"})
    assert time.perf_counter() - began < 1


def test_reasons_say_no_value():
    """If it fails, a refusal carries personal data into logs."""
    for name in REFUSING:
        for raw in STRINGS.values():
            _, reason = outcome(ALL[name], raw, "US")
            assert len(reason) < 30
