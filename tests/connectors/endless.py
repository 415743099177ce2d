"""Answers that remember: a page that comes again, a cursor that never ends, a total that moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.connectors.documents import parsed
from tests.connectors.front import Answer, Front, Spoil
from tests.connectors.pathology import headed, kind_of

Onward = Callable[[dict[str, Any], int], dict[str, Any]]


class Endless:
    """The first page again and again, each time with a cursor that was never there."""

    def __init__(self, key: str, onward: Onward, empty: bool) -> None:
        self.key, self.onward, self.empty = key, onward, empty
        self.page: Answer | None = None
        self.count = 0

    def __call__(self, answer: Answer, front: Front) -> Answer | None:
        """The page with its next cursor; None where the answer is no page."""
        if not front.struck:
            self.page, self.count = None, 0
        if self.page is None:
            document = parsed(answer)
            if not isinstance(document, dict) or not isinstance(document.get(self.key), list):
                return None
            self.page = answer
        self.count += 1
        document = self.onward(json.loads(self.page.body), self.count)
        if self.empty:
            document[self.key] = []
        return replace(self.page, path=answer.path, body=json.dumps(document).encode())


class EndlessTable:
    """A page of bulk results again and again, each time with another locator."""

    def __init__(self, empty: bool) -> None:
        self.empty = empty
        self.page: Answer | None = None
        self.count = 0

    def __call__(self, answer: Answer, front: Front) -> Answer | None:
        """The page with its next locator; None where the answer is no page."""
        if not front.struck:
            self.page, self.count = None, 0
        if self.page is None:
            if kind_of(answer) != "text/csv":
                return None
            self.page = answer
        self.count += 1
        page = headed(self.page, **{"sforce-locator": f"L{self.count}"})
        if self.empty:
            page = headed(page, **{"sforce-numberofrecords": "0"})
            page = replace(page, body=page.body.partition(b"\n")[0] + b"\n")
        return page


def _hubspot(document: dict[str, Any], count: int) -> dict[str, Any]:
    return {**document, "paging": {"next": {"after": str(count)}}}


def _circle(document: dict[str, Any], count: int) -> dict[str, Any]:
    return {**document, "paging": {"next": {"after": str(1 + count % 3)}}}


def _salesforce(document: dict[str, Any], count: int) -> dict[str, Any]:
    following = f"/services/data/v62.0/query/0r8-{count}"
    return {**document, "done": False, "nextRecordsUrl": following}


ENDLESS: Mapping[str, Mapping[str, Callable[[], Spoil]]] = {
    "hubspot": {
        "the same page for ever": lambda: Endless("results", _hubspot, empty=False),
        "empty pages for ever": lambda: Endless("results", _hubspot, empty=True),
        "cursors in a circle": lambda: Endless("results", _circle, empty=False),
    },
    "salesforce": {
        "the same page for ever": lambda: Endless("records", _salesforce, empty=False),
        "empty pages for ever": lambda: Endless("records", _salesforce, empty=True),
        "the same results for ever": lambda: EndlessTable(empty=False),
        "empty results for ever": lambda: EndlessTable(empty=True),
    },
    "builtwith": {},
}
"""Connector to kinds; each spoils every answer from its place on."""
