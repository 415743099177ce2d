"""How people type: every function spells one true value the way a CRM may hold it."""

from __future__ import annotations

from random import Random

from audiencehub.sandbox.company.names import COUNTRY_SPELLINGS, DIAL_CODES, Place


def email(rng: Random, true: str | None) -> str | None:
    """Mostly as it is; else in capitals, with blanks around, or with a capital first letter."""
    if true is None:
        return None
    roll = rng.random()
    if roll < 0.05:
        return true.upper()
    if roll < 0.09:
        return f" {true}" if roll < 0.07 else f"{true}  "
    if roll < 0.13:
        local, _, domain = true.partition("@")
        return f"{local.title()}@{domain}"
    return true


def phone(rng: Random, place: Place, true: str | None) -> str | None:
    """One of the country's usual ways to write the number, which is given in E.164."""
    if true is None or place.country not in DIAL_CODES:
        return true
    code = DIAL_CODES[place.country]
    parts = _split(true.removeprefix(f"+{code}"), place.dial)
    spaced = " ".join(parts)
    if code == "1":
        area, exchange, line = parts
        return rng.choice(
            (
                true,
                f"({area}) {exchange}-{line}",
                f"{area}-{exchange}-{line}",
                f"{area}.{exchange}.{line}",
                f"1 {spaced}",
                f"+1 {area} {exchange}-{line}",
                f"({area}) {exchange}-{line} ext. {rng.randint(2, 99)}",
            )
        )
    return rng.choice(
        (
            true,
            f"+{code} {spaced}",
            f"00{code} {spaced}",
            f"0{spaced}",
            f"+{code} (0){spaced}",
            f"0{parts[0]}/{'-'.join(parts[1:])}",
        )
    )


def _split(digits: str, dial: str) -> list[str]:
    parts, at = [], 0
    for group in dial.split(" "):
        parts.append(digits[at : at + len(group)])
        at += len(group)
    return parts


def country(rng: Random, iso: str) -> str | None:
    """The country's usual name half of the time, else another spelling of it, or nothing."""
    if rng.random() < 0.06:
        return None
    spellings = COUNTRY_SPELLINGS[iso]
    return spellings[0] if rng.random() < 0.5 else rng.choice(spellings)


def state(rng: Random, place: Place) -> str | None:
    """A spelling of the state, or nothing."""
    if not place.states or rng.random() < 0.25:
        return None
    return rng.choice(place.states)


def website(rng: Random, domain: str) -> str:
    """The domain as typed: with scheme, www, path, capitals, a query, or bare."""
    return rng.choice(
        (
            domain,
            domain,
            f"www.{domain}",
            f"https://{domain}",
            f"http://www.{domain}/",
            f"https://shop.{domain}/en/home",
            f"HTTPS://{domain.upper()}",
            f"{domain}/",
            f"https://{domain}/?utm_source=crm",
            f" www.{domain} ",
        )
    )


def text(rng: Random, true: str) -> str:
    """Now and then blanks around, capitals, or an emoji that came with a phone's keyboard."""
    roll = rng.random()
    if roll < 0.02:
        return f" {true}"
    if roll < 0.04:
        return f"{true} "
    if roll < 0.055:
        return true.upper()
    if roll < 0.07:
        return true.lower()
    return f"{true} 🚀" if roll < 0.075 else true


def blank(rng: Random, value: str | None, share: float) -> str | None:
    """The value, or nothing in this share of cases."""
    return None if rng.random() < share else value


def account_name(rng: Random, name: str) -> str:
    """The same company by another spelling of its name."""
    first, _, rest = name.partition(" ")
    return rng.choice(
        (
            name.upper(),
            f"{name} (duplicate)",
            f"The {name}",
            f"{first}  {rest}".strip(),
            name.rsplit(" ", 1)[0] if " " in name else f"{name} Group",
            f"{name}, {first}",
        )
    )
