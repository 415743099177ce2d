"""What holds for every value, whatever people type."""

import hashlib
import re

from hypothesis import given
from hypothesis import strategies as st

from audiencehub.privacy import FIELDS, PLATFORMS, Identifier, Refused, identify

PAIRS = [(platform, field) for platform, rules in PLATFORMS.items() for field in rules]
EMPTY = hashlib.sha256(b"").hexdigest()

words = st.text(max_size=30)
addresses = st.builds(
    "{}{}@{}{}".format,
    st.sampled_from(["", " ", "\t", "\ufeff"]),
    st.text("aZ.+é ", min_size=1, max_size=8),
    st.sampled_from(["gmail.com", "Example.COM", "googlemail.com", "acme.example"]),
    st.sampled_from(["", " ", "\u200b"]),
)
phones = st.from_regex(r"[ (]?(\+|00)?[0-9]{1,3}[ )/-]{0,2}[0-9 ().-]{3,14}", fullmatch=True)
dates = st.dates().map(str)
values = st.one_of(
    words, addresses, phones, dates, st.text("0123456789abcdefABCDEF", min_size=64, max_size=64)
)


@given(st.sampled_from(PAIRS), values)
def test_normalizing_twice_changes_nothing(pair, value):
    """If this fails, the removal of a person carries another hash than the addition did."""
    first = identify(*pair, value, unverified=True)
    if isinstance(first, Identifier):
        again = identify(*pair, first.normalized, unverified=True)
        assert again == first


@given(st.sampled_from(PAIRS), values, st.sampled_from([None, "US", "DE", "", "Nowhere"]))
def test_what_is_sent_is_never_empty_and_in_the_right_letters(pair, value, country):
    """If this fails, blank people are matched together, or a platform refuses the batch."""
    found = identify(*pair, value, country=country, unverified=True)
    if isinstance(found, Refused):
        assert found.reason
        return
    assert found.normalized.strip()
    for part in found.sent.split(",") if pair[1] == "birth_date" else [found.sent]:
        assert part != EMPTY
        if found.hashed:
            assert re.fullmatch(r"[0-9a-f]{64}", part)
        else:
            part.encode()  # a lone surrogate cannot leave the house


@given(st.sampled_from(PAIRS), st.text(" \t\n\u200b\ufeff", max_size=5))
def test_blank_is_refused(pair, value):
    """If this fails, a blank field counts as an identifier."""
    assert isinstance(identify(*pair, value, unverified=True), Refused)


@given(st.sampled_from(list(PLATFORMS)), st.sampled_from(FIELDS), st.text("qxz", min_size=6))
def test_no_reason_holds_the_value(platform, field, value):
    """If this fails, a person's data reaches a log through the reason of a refusal."""
    found = identify(platform, field, value)
    assert isinstance(found, Identifier) or value not in found.reason


@given(addresses)
def test_only_google_rewrites_gmail(value):
    """If this fails, one platform's rule leaks into another's."""
    for platform in ("meta", "microsoft", "tiktok", "snap"):
        found = identify(platform, "email", value)
        if isinstance(found, Identifier):
            local = "".join(c for c in value if c not in "\ufeff\u200b").strip().lower()
            assert found.normalized == local
