"""One request as a handler sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from connectors.hubspot.sandbox.state import Records

Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """Path, query and body of a request, and the records it works on."""

    request: Request
    records: Records
    log: Callable[..., None]
    body: Any = field(default_factory=dict)

    @property
    def path(self) -> dict[str, str]:
        """Path parameters."""
        return dict(self.request.path_params)

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; the last of each name."""
        return dict(self.request.query_params)

    def names(self, key: str) -> list[str]:
        """A list parameter, whether comma-separated or repeated."""
        given = self.request.query_params.getlist(key)
        return [name for text in given for name in text.split(",") if name]

    def kind(self, key: str = "type") -> str:
        """The object type of the path."""
        return self.records.kind(self.path[key])


Handler = Callable[[Call], Answer]
