"""The platforms' published examples, and the traps that published code falls into."""

import hashlib

import pytest

from audiencehub.errors import ConfigError
from audiencehub.privacy import Identifier, Refused, identify

# platform, field, raw, country, normalized, published sha256 (None: the platform gives none)
VECTORS = [
    (
        "google",
        "email",
        "  ALEXZ@example.com   ",
        None,
        "alexz@example.com",
        "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a",
    ),
    (
        "google",
        "phone",
        "   +1-800-555-0100",
        None,
        "+18005550100",
        "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30",
    ),
    (
        "google",
        "phone",
        "1-800-555-0100   ",
        None,
        "+18005550100",
        "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30",
    ),
    (
        "google",
        "email",
        "cloudy.sanfrancisco+shopping@gmail.com",
        None,
        "cloudysanfrancisco@gmail.com",
        None,
    ),
    ("google", "email", "user.name+NYC@Example.com", None, "user.name+nyc@example.com", None),
    (
        "meta",
        "email",
        "mary@example.com",
        None,
        "mary@example.com",
        "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79",
    ),
    (
        "meta",
        "phone",
        "15559876543",
        None,
        "15559876543",
        "1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e",
    ),
    (
        "meta",
        "phone",
        "(650)555-1212",
        "US",
        "16505551212",
        "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
    ),
    (
        "meta",
        "first_name",
        "Valéry",
        None,
        "valéry",
        "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c",
    ),
    (
        "meta",
        "city",
        "New York",
        None,
        "newyork",
        "350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5",
    ),
    (
        "microsoft",
        "email",
        "test@contoso.com",
        None,
        "test@contoso.com",
        "f25ad364d33972379a7a4f4df33db142205f5c40eb19cfdb2fc5aaf117e10101",
    ),
    (
        "snap",
        "email",
        "Person@Example.com",
        None,
        "person@example.com",
        "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345",
    ),
]

# What the text of a platform says where its code, or a connector's, does otherwise.
TRAPS = [
    ("google", "email", "c.l.o.u.d.y@googlemail.com", None, "cloudy@googlemail.com"),
    ("google", "email", " ma ry @example.com", None, "mary@example.com"),
    ("google", "phone", "+1‑800‑555‑0100", None, "+18005550100"),
    ("google", "phone", "09876543210", "IN", "+919876543210"),
    ("google", "phone", "+44 (0)20 7946 0958", None, "+442079460958"),
    ("google", "phone", "+1 650 555 1212 ext. 5", None, "+16505551212"),
    ("google", "phone", "0044 20 7946 0958", "US", "+442079460958"),
    ("google", "phone", "+١٨٠٠٥٥٥٠١٠٠", None, "+18005550100"),
    ("google", "first_name", " Mrs. O’Mary-Ann ", None, "omaryann"),
    ("google", "last_name", "King, Jr., DDS", None, "king"),
    ("google", "last_name", "King,Jr.", None, "king"),
    ("google", "country", " us ", None, "US"),
    ("google", "country", "United Kingdom", None, "GB"),
    ("google", "zip", "94045", "US", "94045"),
    ("google", "zip", "94045-1234", "US", "94045-1234"),
    (
        "google",
        "device_id",
        "AECE52E7-03EE-455A-B3C4-E57283966239",
        None,
        "AECE52E7-03EE-455A-B3C4-E57283966239",
    ),
    ("meta", "zip", "90210-1234", None, "90210"),
    ("meta", "zip", "902101234", "US", "90210"),
    ("meta", "zip", "SW1A 1AA", "GB", "sw1a1aa"),
    ("meta", "phone", "0015559876543", None, "15559876543"),
    ("meta", "last_name", "D'Arc-Müller", None, "darcmüller"),
    ("meta", "city", "São Paulo", None, "saopaulo"),
    ("meta", "state", "California", "US", "ca"),
    ("meta", "state", "US-CA", None, "ca"),
    ("meta", "state", "Île-de-France", "FR", "îledefrance"),
    ("meta", "country", "US", None, "us"),
    ("meta", "gender", "Female", None, "f"),
    ("meta", "device_id", "AB1234CD-E123-12FG-J123", None, "ab1234cd-e123-12fg-j123"),
    ("meta", "external_id", " Cust-0042 ", None, "Cust-0042"),
    ("linkedin", "email", " A B@Example.com", None, "ab@example.com"),
    ("linkedin", "first_name", " Mary  Ann ", None, "Mary Ann"),
    ("linkedin", "company_domain", " HTTPS://Acme.Example/about?x=1", None, "acme.example"),
    (
        "linkedin",
        "organization_urn",
        " URN:LI:Organization: urn:li:organization:1480 ",
        None,
        "urn:li:organization:1480",
    ),
    ("linkedin", "organization_urn", "1480", None, "urn:li:organization:1480"),
    ("linkedin", "company_name", "  Acme\u200b  Analytics, Inc. ", None, "Acme Analytics, Inc."),
    ("tiktok", "email", " First.Last+X@Example.com", None, "first.last+x@example.com"),
    ("tiktok", "phone", "+1 (555) 555-5555", None, "+15555555555"),
    (
        "tiktok",
        "device_id",
        "AECE52E7-03EE-455A-B3C4-E57283966239",
        None,
        "aece52e7-03ee-455a-b3c4-e57283966239",
    ),
    ("snap", "phone", "+44 844 412 4653", None, "448444124653"),
]

# What published code makes of a value, where the text of its platform says otherwise: the beginning
# of the digest as published, or the text that is hashed there.
FORGED = [
    # Its own page of CustomerListUserData gives this digest for the address; it is another's.
    ("microsoft", "email", "test@contoso.com", None, "a8e34c39"),
    # rudder-server puts a plus before a number that has no country code.
    ("google", "phone", "09876543210", None, "249c9927"),
    ("tiktok", "phone", "09876543210", None, "249c9927"),
    # The formatting library of Google (December 2025) leaves the suffix; a connector, all dots but
    # the first.
    ("google", "email", "a.b.c+x@gmail.com", None, "abc+x@gmail.com"),
    ("google", "email", "a.b.c@gmail.com", None, "ab.c@gmail.com"),
    # A connector hashes the number of its own test as it is written.
    ("tiktok", "phone", "+1 (555) 555-5555", None, "+1 (555) 555-5555"),
    # One takes dots and suffix off for every domain; no text of TikTok asks for it.
    ("tiktok", "email", "first.last+x@example.com", None, "firstlast@example.com"),
    ("meta", "email", "first.last+x@gmail.com", None, "firstlast@gmail.com"),
    # rudder-server keeps the nine digits.
    ("meta", "zip", "90210-1234", "US", "902101234"),
    ("meta", "zip", "90210-1234", "US", "90210-1234"),
    # Hyphens that are not ASCII stand in the phones of Google's sample file.
    ("google", "phone", "+1\u2011800\u2011555\u20110100", None, "+1\u2011800\u2011555\u20110100"),
    ("meta", "phone", "+1 (650) 555-1212", None, "+16505551212"),
    ("snap", "phone", "+1 650 555 1212", None, "+16505551212"),
]

REFUSALS = [
    *[
        ("google", "email", raw)
        for raw in (
            "",
            "   ",
            "quinn",
            " @googlemail.com",
            " ...@gmail.com",
            "+x@gmail.com",
            "a@b@c.example",
            "mary@",
            "mary@localhost",
            "Mary <mary@example.com>",
        )
    ],
    *[
        ("google", "phone", raw)
        for raw in (
            "",
            " +A BCD EFG ",
            "09876543210",
            "+09876543210",
            "+123",
            "1" * 16,
        )
    ],
    ("google", "first_name", "Mrs."),
    ("google", "last_name", ", Jr."),
    ("google", "first_name", "---"),
    ("google", "country", "Atlantis"),
    ("google", "city", "Paris"),
    ("google", "device_id", "00000000-0000-0000-0000-000000000000"),
    ("meta", "email", "ma ry@example.com"),
    ("meta", "phone", "000"),
    ("meta", "city", "東京"),
    ("meta", "gender", "non-binary"),
    ("meta", "birth_date", "07/05/1990"),
    ("meta", "birth_date", "1990-02-30"),
    ("meta", "company_domain", "acme.example"),
    ("linkedin", "phone", "+15559876543"),
    ("linkedin", "external_id", "x"),
    ("linkedin", "company_domain", "mary@example.com"),
    ("linkedin", "organization_urn", "urn:li:person:12"),
    ("linkedin", "company_name", " \u200b "),
    ("tiktok", "company_name", "Acme Analytics"),
    ("microsoft", "phone", "+15559876543"),
    ("microsoft", "city", "Paris"),
    ("tiktok", "external_id", "x"),
    ("snap", "first_name", "Mary"),
]


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(("platform", "field", "raw", "country", "normalized", "digest"), VECTORS)
def test_published_vectors(platform, field, raw, country, normalized, digest):
    """If this fails, the platform matches nobody: its own example comes out differently."""
    found = identify(platform, field, raw, country=country)
    assert found == Identifier(normalized, digest or sha(normalized), hashed=True)


@pytest.mark.parametrize(("platform", "field", "raw", "country", "normalized"), TRAPS)
def test_traps(platform, field, raw, country, normalized):
    """If this fails, a value is sent in a form that the platform's text does not describe."""
    found = identify(platform, field, raw, country=country)
    assert isinstance(found, Identifier), found
    assert found.normalized == normalized
    assert found.sent == (sha(normalized) if found.hashed else normalized)


@pytest.mark.parametrize(("platform", "field", "raw", "country", "forged"), FORGED)
def test_what_published_code_gets_wrong(platform, field, raw, country, forged):
    """If this fails, a digest goes out that another's code makes and the platform does not know."""
    published = forged if len(forged) == 8 else sha(forged)[:8]
    found = identify(platform, field, raw, country=country)
    assert isinstance(found, Refused) or not found.sent.startswith(published)


def test_the_forged_number_is_the_published_one():
    """If this fails, the digests above are not those that were seen in the wild."""
    assert sha("+09876543210").startswith("249c9927")


@pytest.mark.parametrize(("platform", "field", "raw"), REFUSALS)
def test_refusals(platform, field, raw):
    """If this fails, rubbish is hashed and sent as if it were a person."""
    found = identify(platform, field, raw)
    assert isinstance(found, Refused)
    assert found.reason
    assert len(raw.strip()) < 4 or raw.strip() not in found.reason


def test_reason_names_platform_and_field():
    """If this fails, support cannot tell a platform's limit from bad data."""
    assert identify("linkedin", "phone", "+15559876543") == Refused("linkedin takes no phone")


@pytest.mark.parametrize(
    ("platform", "field"),
    [
        ("google", "email"),
        ("meta", "phone"),
        ("tiktok", "device_id"),
        ("meta", "country"),
    ],
)
def test_hashed_values_are_never_hashed_twice(platform, field):
    """If this fails, a list that came hashed is hashed again and matches nobody."""
    digest = sha("mary@example.com")
    found = identify(platform, field, f" {digest.upper()} ")
    assert found == Identifier(digest, digest, hashed=True)


def test_the_hash_of_nothing_is_refused():
    """If this fails, everyone with a blank field is matched as one person."""
    assert isinstance(identify("meta", "email", sha("").upper()), Refused)


def test_a_hash_is_no_plain_value():
    """If this fails, a hash is sent in a column that the platform reads as text."""
    assert isinstance(identify("linkedin", "first_name", sha("x")), Refused)
    assert identify("meta", "external_id", sha("x").upper()) == Identifier(
        sha("x").upper(), sha("x").upper(), hashed=False
    )


def test_birth_date_is_three_hashes():
    """If this fails, Meta's DOBY, DOBM and DOBD columns hold the wrong part of a date."""
    found = identify("meta", "birth_date", "1990-05-07")
    assert found == Identifier("1990-05-07", f"{sha('1990')},{sha('05')},{sha('07')}", hashed=True)
    assert identify("meta", "birth_date", "19900507") == found


def test_unverified_rules_need_a_setting():
    """If this fails, values are sent in a form that no official text of Microsoft describes."""
    refused = identify("microsoft", "phone", "+15559876543")
    assert isinstance(refused, Refused)
    assert "unverified" in refused.reason
    found = identify("microsoft", "phone", "+1 555 987 6543", unverified=True)
    assert isinstance(found, Identifier)
    assert found.normalized == "+15559876543"


def test_invisible_characters_do_not_change_a_hash():
    """If this fails, a byte order mark from an export makes a person unmatchable."""
    clean = identify("meta", "email", "mary@example.com")
    assert identify("meta", "email", "\ufeffmary\u200b@example.com\u00a0") == clean
    composed = identify("meta", "first_name", "Valéry")
    assert identify("meta", "first_name", "Vale\u0301ry") == composed
    plain = identify("linkedin", "first_name", "Vale\u0301ry")
    assert plain == Identifier("Valéry", "Valéry", hashed=False)


@pytest.mark.parametrize(("platform", "field"), [("myspace", "email"), ("meta", "shoe_size")])
def test_unknown_words_are_configuration_errors(platform, field):
    """If this fails, a typing error in settings ends as a refused person instead of a message."""
    with pytest.raises(ConfigError) as error:
        identify(platform, field, "secret-value")
    assert "secret-value" not in str(error.value)
