"""Very many people, by arithmetic: their addresses, who has a bad one, and who consents.

Pure: nothing of the product takes part, so that what is expected owes it nothing.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime

START = datetime(2026, 11, 16, 9, tzinfo=UTC)
BAD_EVERY = 50
"""One person in fifty has an address that is none: two per cent."""
BAD = (
    "",
    " ",
    "n/a",
    "unknown",
    "p{n}",
    "p{n}@",
    "@acme.example",
    "p{n}@acme",
    "p{n}@@acme.example",
    "p {n}@acme.example;q@acme.example",
    "Pat {n} <p{n}@acme.example>",
    hashlib.sha256(b"").hexdigest(),
    "\u200b\ufeff",
)
"""What stands in CRMs where an address should be."""
WRITTEN = (
    "p{n}@acme.example",
    " P{n}@Acme.example ",
    "p{n}@ACME.EXAMPLE\u200b",
    "\tp{n}@acme.example",
)
"""The same address as four people would write it."""


def is_bad(number: int) -> bool:
    """Whether nobody can be found by what stands in the address of this person."""
    return number % BAD_EVERY == 7


def email(number: int) -> str:
    """The address as every platform wants it, before hashing."""
    return f"p{number}@acme.example"


def written(number: int) -> str:
    """The address as the CRM has it."""
    forms = BAD if is_bad(number) else WRITTEN
    return forms[number // BAD_EVERY % len(forms)].format(n=number)


def phone(number: int) -> str | None:
    """A number of one good person in three; its digits are the person's own."""
    return f"+1 650 {2000000 + number:07d}" if number % 3 == 0 and not is_bad(number) else None


def digest(text: str) -> str:
    """SHA-256 by hand."""
    return hashlib.sha256(text.encode()).hexdigest()


def folded(address: str) -> str:
    """What some platforms call a member: MD5 of the address."""
    return hashlib.md5(address.encode(), usedforsecurity=False).hexdigest()


@dataclass
class Wishes:
    """What everybody has said by now: who is on the yes side."""

    count: int
    seed: int
    yes: set[int] = field(default_factory=set)

    def first(self) -> list[tuple[str, int, list[int]]]:
        """(status, minutes before the start, people): grants, denials, both, or silence."""
        rng = random.Random(f"wishes {self.seed}")
        said: dict[tuple[str, int], list[int]] = {
            (status, minutes): []
            for status, minutes in (
                ("granted", 500),
                ("granted", 100),
                ("denied", 500),
                ("denied", 100),
            )
        }
        for number in range(self.count):
            kind = rng.random()
            if kind < 0.80:
                said["granted", 500].append(number)
            if 0.70 <= kind < 0.80:
                said["denied", 100].append(number)
            if 0.80 <= kind < 0.93:
                said["denied", 500].append(number)
            if 0.80 <= kind < 0.85:
                said["granted", 100].append(number)
            if kind < 0.70 or 0.80 <= kind < 0.85:
                self.yes.add(number)
        return [(*when, people) for when, people in said.items()]

    def withdraw(self, rng: random.Random, share: float) -> list[int]:
        """Some of those who said yes say no now."""
        out = rng.sample(sorted(self.yes), int(share * len(self.yes)))
        self.yes -= set(out)
        return out

    def return_(self, rng: random.Random, share: float) -> list[int]:
        """Some of the others say yes."""
        back = rng.sample(
            [n for n in range(self.count) if n not in self.yes], int(share * self.count)
        )
        self.yes |= set(back)
        return back
