"""An ear between hub and fake: whom each request names, against what they say at that moment."""

from __future__ import annotations

import re
from typing import Any

from tests.platforms import crowd
from tests.platforms.crowd import Wishes
from tests.platforms.house import House

WORDS = re.compile(rb"[0-9A-Za-z.+%@_-]+")
"""What a body is made of, or a line of a fake's log: hashes, addresses, numbers, ids of records."""
TAKES_OUT = ("remove", "delete")


class Ear:
    """Hears all requests of a house. Two independent ways to find somebody who should not be sent:

    the bytes of a request name nobody who has not consented, unless they were sent before and are
    taken out now; and no line that the fake wrote into its log of writes puts such a person in.
    """

    def __init__(self, there: House, wishes: Wishes) -> None:
        self.there, self.wishes = there, wishes
        self.broken: list[str] = []
        self.heard = 0
        """Names heard."""
        self._who = dict[str, int]()
        for number in range(there.people):
            address, dialled = crowd.email(number), crowd.phone(number)
            texts = [address]
            if dialled:
                digits = "".join(filter(str.isdigit, dialled))
                texts += [digits, f"+{digits}"]
            names = [*texts, *map(crowd.digest, texts), crowd.folded(address)]
            self._who |= dict.fromkeys([*names, there.stand.name(there.fake, number)], number)
        self._sent, self._lines = set[int](), 0
        there.watch.told = self.before
        there.watch.answered = self.after

    def before(self, method: str, path: str, body: bytes) -> None:
        """A request is about to reach the fake."""
        named = self.named(body + path.encode())
        self.heard += len(named)
        strangers = named - self.wishes.yes - self._sent
        self.broken += [f"{method} names {one}, who was never sent" for one in strangers]
        self._sent |= named & self.wishes.yes

    def after(self) -> None:
        """It was answered; what it did stands in the fake's own log."""
        there = self.there
        log = there.fake.store.table("__writes")
        lines: list[dict[str, Any]] = list(log.values())[self._lines :]
        self._lines += len(lines)
        for line in lines:
            if line["op"] in TAKES_OUT:
                continue
            named = self.named(there.stand.told(there.fake, line).encode())
            strangers = named - self.wishes.yes
            self.broken += [f"{line['op']} of {one}, who does not consent" for one in strangers]

    def named(self, text: bytes) -> set[int]:
        """Who is named there."""
        found = (one.decode().replace("%40", "@") for one in WORDS.findall(text))
        return {self._who[one] for one in found if one in self._who}
