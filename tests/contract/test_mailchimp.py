"""Mailchimp keeps the contract of lists."""

from __future__ import annotations

from typing import Any, ClassVar

from audiencehub.model import Change, Op, Target
from audiencehub.privacy.identifiers import identify
from audiencehub.privacy.rule import Identifier
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.destination import SOME
from audiencehub.testing.lists import ListContract

AUDIENCE = "a1b2c3d4e5"


class _Tags(ListContract):
    connector = "mailchimp"
    unusable: ClassVar = {"email": "not an address"}
    strangers: ClassVar = False

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The addresses that the fake keeps for the tag."""
        table = bench.sandbox.store.table(f"member:{AUDIENCE}:{target.remote['tag_id']}")
        return [row["email"] for row in table.values()]

    def changes(self, bench: FakeBench, target: Target, *, there: bool) -> list[Change]:
        """Of contacts, and of strangers where they become contacts; nobody archived."""
        table = bench.sandbox.store.table(f"contact:{AUDIENCE}").values()
        status = {one["email_address"].lower(): one["status"] for one in table}
        op: Op = "add" if there else "remove"
        made: dict[str, Change] = {}
        for number, person in enumerate(bench.company.contacts):
            found = identify("mailchimp", "email", person.email or "")
            if not isinstance(found, Identifier) or status.get(found.sent) == "archived":
                continue
            if found.sent in status or self.strangers:
                change = Change(f"person-{number}", op, identifiers={"email": found.sent})
                made[found.sent] = change
        return list(made.values())[:SOME]


class TestMailchimpTags(_Tags):
    """Tags of contacts that are there."""

    options: ClassVar[Any] = {"audience_id": AUDIENCE}


class TestMailchimpContacts(_Tags):
    """Tags, and contacts that get no marketing for those who were none."""

    options: ClassVar[Any] = {"audience_id": AUDIENCE, "create": "transactional"}
    strangers: ClassVar = True
