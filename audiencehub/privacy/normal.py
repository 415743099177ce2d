"""Normalizers that several platforms share. Pure; each is idempotent, and none keeps its input."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

import phonenumbers
import pycountry

from audiencehub.privacy.rule import Refused

# Unquoted addresses only: nobody's real address needs a quoted local part, but typing errors do.
_EMAIL = re.compile(r"[^@\s<>()\[\],;:\"\\]+@[^@\s<>()\[\],;:\"\\]+\.[^@\s<>()\[\],;:\"\\.]+")
_EXTENSION = re.compile(r"[\s,;.]*(?:;ext=|extension|ext\.?|x|#)\s*[0-9]{1,7}\s*$", re.I)
_COUNTRIES = {
    "UK": "GB",
    "EL": "GR",
    "ENGLAND": "GB",
    "SCOTLAND": "GB",
    "WALES": "GB",
    "GREAT BRITAIN": "GB",
    "USA": "US",
    "U.S.": "US",
    "U.S.A.": "US",
    "RUSSIA": "RU",
    "TURKEY": "TR",
    "SOUTH KOREA": "KR",
    "THE NETHERLANDS": "NL",
    "HOLLAND": "NL",
}


def visible(text: str) -> str:
    """The text in NFC without control, format and surrogate characters, outer blanks trimmed.

    Such characters come with exports (byte order marks, zero-width blanks) and change a hash.
    """
    kept = "".join(c for c in text if unicodedata.category(c)[0] != "C" or c in "\t\n\r")
    return unicodedata.normalize("NFC", kept).strip()


def lower(text: str) -> str:
    """Lower case, in NFC again: lowering may take a letter apart."""
    return unicodedata.normalize("NFC", visible(text).lower())


def words(text: str) -> str:
    """Lower case without punctuation and symbols; letters of every script stay."""
    kept = "".join(c for c in lower(text) if unicodedata.category(c)[0] not in "PS")
    return unicodedata.normalize("NFC", " ".join(kept.split()))


def email(value: str, _: str | None) -> str | Refused:
    """Trimmed, lower case."""
    text = lower(value)
    return text if not text or _EMAIL.fullmatch(text) else Refused("not an e-mail address")


def email_unspaced(value: str, country: str | None) -> str | Refused:
    """Lower case, every blank removed."""
    return email("".join(visible(value).split()), country)


def e164(value: str, country: str | None) -> str | Refused:
    """`+` and 7 to 15 digits, country code first.

    Digits without `+` and country are read as they stand, as Google's own library does, but only
    where that names a possible number: guessing forges the numbers of other people.
    """
    read = _phone(value, country)
    if isinstance(read, Refused):
        return read
    digits, sure = read
    if not sure:
        digits = _possible(f"+{digits}", None) or ""
    if not re.fullmatch(r"[1-9][0-9]{6,14}", digits):
        return Refused("no phone number with country code; give the country")
    return f"+{digits}"


def digits_only(value: str, country: str | None) -> str | Refused:
    """Digits with the country code first, leading zeros stripped, no `+`."""
    read = _phone(value, country)
    if isinstance(read, Refused):
        return read
    digits = read[0].lstrip("0")
    return digits if 7 <= len(digits) <= 15 else Refused("not a phone number")


def iso2(value: str, _: str | None = None) -> str | Refused:
    """ISO 3166-1 alpha-2, upper case, from a code or an English name."""
    text = visible(value)
    return (country_code(text) or Refused("not a country")) if text else ""


@lru_cache(maxsize=2048)
def country_code(text: str) -> str | None:
    """The alpha-2 code of a code or English name, if there is such a country."""
    name = " ".join(text.upper().split())
    name = _COUNTRIES.get(name, name)
    try:
        return str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return None


def device(value: str, _: str | None) -> str | Refused:
    """A mobile advertising id as it stands. All zeros means that the person opted out."""
    text = visible(value)
    if text and not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_-]{7,63}", text):
        return Refused("not a mobile advertising id")
    if text and not text.replace("-", "").strip("0"):
        return Refused("the device has advertising ids switched off")
    return text


def device_lower(value: str, country: str | None) -> str | Refused:
    """A mobile advertising id in lower case, hyphens kept."""
    text = device(value, country)
    return text if isinstance(text, Refused) else text.lower()


def opaque(value: str, _: str | None) -> str | Refused:
    """The company's own id, exactly, but for outer blanks."""
    text = value.strip()
    if any(unicodedata.category(c)[0] == "C" for c in text):
        return Refused("holds control characters")
    return text


def plain(value: str, _: str | None) -> str | Refused:
    """Readable text, trimmed, one blank between words."""
    return " ".join(visible(value).split())


def birth_date(value: str, _: str | None) -> str | Refused:
    """YYYY-MM-DD from 1900 on, from that or YYYYMMDD; day-first and month-first are refused."""
    text = visible(value)
    found = re.fullmatch(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})", text)
    try:
        day = date(int(found[1]), int(found[3]), int(found[4])) if found else None
    except ValueError:
        day = None
    if text and (day is None or day.year < 1900):
        return Refused("not a date of birth written YYYY-MM-DD")
    return day.isoformat() if day else ""


def _phone(value: str, country: str | None) -> tuple[str, bool] | Refused:
    """Digits, and whether the country code is known to lead them."""
    text = "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c for c in visible(value)
    ).replace("\uff0b", "+")
    text = _EXTENSION.sub("", text)
    digits = re.sub(r"[^0-9]", "", text)
    if not digits:
        return Refused("no digits in the phone number" if text else "empty")
    if "+" in re.split(r"[0-9]", text, maxsplit=1)[0]:
        # `+44 (0)20 …` writes a zero that is not dialled from abroad.
        return _possible(f"+{digits}", None) or digits, True
    if country:
        known = _possible(digits, country)
        if not known and digits.startswith("00"):
            known = _possible(f"+{digits[2:]}", None)
        return (known, True) if known else Refused(f"not a phone number of {country}")
    return digits, False


def _possible(text: str, region: str | None) -> str | None:
    """Digits in international form, where the numbering plan of the country allows them."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    shown: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return shown.removeprefix("+")
