"""E-mail addresses: one key per mailbox, and what a mailbox is."""

from __future__ import annotations

import re

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.cleaning import CLEANERS, Unclean
from audiencehub.cleaning.mail import (
    email_canon,
    is_role,
    mail_company_domain,
    role_pattern,
)
from audiencehub.cleaning.web import is_disposable, is_free_mail, is_hosting

SAME = [
    ("Ann.Lee@Acme.Example", "ann.lee@acme.example"),
    ("ann@MÜLLER.example", "ann@xn--mller-kva.example"),
    ("ann@ａｃｍｅ.example", "ann@acme.example"),
    ("ann@acme。example", "ann@acme.example"),
    ("\u202aann@acme.example\u202c", "ann@acme.example"),
    ("mailto:ann@acme.example", "ann@acme.example"),
    ("jose\u0301@acme.example", "jos\u00e9@acme.example"),
    ("\u212aarl@acme.example", "karl@acme.example"),
]
APART = [
    ("straße@acme.example", "strasse@acme.example"),
    ("ann@straße.example", "ann@strasse.example"),
    ("ırem@acme.example", "irem@acme.example"),
    ("İrem@acme.example", "irem@acme.example"),
    ("\u0430nn@acme.example", "ann@acme.example"),
    ("ann+news@acme.example", "ann@acme.example"),
    ("a.nn@gmail.com", "ann@gmail.com"),
]
REFUSED = [
    ("ａｎｎ@acme.example", "lookalike_characters"),
    ("oﬃce@acme.example", "lookalike_characters"),
    ("ann\u200b.lee@acme.example", "invisible_characters"),
    ("ann\u00a0lee@acme.example", "invisible_characters"),
    ("ann\u00adlee@acme.example", "invisible_characters"),
    ("ann@acme.example\u202eelpmaxe.live", "reordering_marks"),
    ("Ann Lee <ann@acme.example>", "not_an_email"),
    ("ann@acme.example; bob@acme.example", "not_an_email"),
    ("ann@[127.0.0.1]", "not_an_email"),
    ("ann@localhost", "not_an_email"),
    ('"ann lee"@acme.example', "not_an_email"),
    ("ann..lee@acme.example", "not_an_email"),
    ("a" * 250 + "@acme.example", "not_an_email"),
    (7, "not_an_email"),
]


def email(raw: object) -> object:
    return CLEANERS["email"](raw, {})


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_mailbox_has_one_key(one, other):
    """If it fails, spellings of one address make two people."""
    assert email(one) == email(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_two_mailboxes_have_two_keys(one, other):
    """If it fails, two people who write alike are merged for ever."""
    assert email(one) != email(other)


@pytest.mark.parametrize(("raw", "reason"), REFUSED)
def test_is_refused(raw, reason):
    """If it fails, what was meant is guessed and becomes somebody's identity."""
    with pytest.raises(Unclean) as refusal:
        email(raw)

    assert refusal.value.reason == reason


LOCAL = st.text("abcXYZ019.+-_'!# @\"(", min_size=1, max_size=20)
HOST = st.text("abcX01.-_", min_size=1, max_size=20).map(lambda one: one + ".example")


@given(LOCAL, HOST)
def test_the_quick_way_says_what_the_library_says(local, host):
    """If it fails, the check that spares time lets addresses in, or keeps them out."""
    raw = f"{local}@{host}".strip()
    try:
        told = validate_email(raw, check_deliverability=False, test_environment=True)
        expected = told.normalized.lower()
    except EmailNotValidError:
        expected = "not_an_email"
    try:
        found = email(raw)
    except Unclean as refusal:
        found = refusal.reason

    assert found == expected


def test_the_form_that_only_suggests():
    """If it fails, the review queue misses the tags and dots that people add."""
    assert email_canon("a.n.n+x@googlemail.com") == email_canon("ann@gmail.com") == "ann@gmail.com"
    assert email_canon("a.nn+x@acme.example") == "a.nn@acme.example"
    assert email_canon("+x@acme.example") == "+x@acme.example"


@pytest.mark.parametrize(
    "local", ["info", "sales-de", "support2", "no-reply", "kontakt", "noreply.x"]
)
def test_mailboxes_of_several_people(local):
    """If it fails, all who write from info@ become one person."""
    assert is_role(f"{local}@acme.example")


@pytest.mark.parametrize(
    "local", ["ann", "ann.lee", "salesman.joe", "informant", "i", "hannes.it.k"]
)
def test_mailboxes_of_one_person(local):
    """If it fails, a person's own address joins nothing."""
    assert not is_role(f"{local}@acme.example")


def test_the_list_of_mailboxes_can_be_changed():
    """If it fails, a person called Art Rees, ar@, cannot be taken off the list of mailboxes."""
    pattern = role_pattern(frozenset({"frontoffice"}), frozenset({"ar"}))
    assert re.search(pattern, "frontoffice2+x")
    assert not re.search(pattern, "ar")
    assert re.search(role_pattern(), "ar")


def test_which_domains_name_a_company():
    """If it fails, all who use one provider work for one company."""
    assert is_free_mail("gmail.com")
    assert is_free_mail("mail.gmx.net")
    assert not is_free_mail("acme.example")
    assert is_disposable("mailinator.com")
    assert is_hosting("acme.myshopify.com")
    assert is_hosting("github.io")
    assert is_hosting("acme.wixsite.com")
    assert not is_hosting("acme.example")
    assert mail_company_domain("ann@mail.müller.example") == "xn--mller-kva.example"
    assert mail_company_domain("ann@gmail.com") is None
    assert mail_company_domain("ann@mailinator.com") is None
    assert mail_company_domain("ann@users.noreply.github.com") is None
    assert mail_company_domain("ann@github.com") == "github.com"
    assert mail_company_domain("ann@acme.onmicrosoft.com") is None
