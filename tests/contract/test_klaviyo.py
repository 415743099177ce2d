"""Klaviyo keeps the contract of lists."""

from __future__ import annotations

from typing import ClassVar

import pytest

from audiencehub.model import Change, Target
from audiencehub.testing.bench import FakeBench
from audiencehub.testing.contract import BROKEN
from audiencehub.testing.lists import ListContract


class _Lists(ListContract):
    connector = "klaviyo"
    unusable: ClassVar = {"email": "not an address"}

    def holdings(self, bench: FakeBench, target: Target) -> list[str]:
        """The addresses of the profiles that the fake keeps for the list."""
        table = bench.sandbox.store.table(f"member:{target.remote['list_id']}")
        return [row["email"] for row in table.values()]


class TestKlaviyoImports(_Lists):
    """Lists filled by imports, which make profiles of people whom Klaviyo does not know."""


class TestKlaviyoProfiles(_Lists):
    """Lists filled with profiles that are there, and with nobody else."""

    options: ClassVar = {"create_profiles": False}

    def changes(self, bench: FakeBench, target: Target, *, there: bool) -> list[Change]:
        """Of people whom Klaviyo knows."""
        known = {row["email"] for row in bench.sandbox.store.table("profile").values()}
        found = super().changes(bench, target, there=there)
        chosen = [one for one in found if one.identifiers["email"] in known]
        assert len(chosen) > 2, "the suite needs people whom the fake knows"
        return chosen

    @pytest.mark.parametrize("broken", [name for name in BROKEN if "body" not in name])
    def test_an_answer_that_proves_nothing_confirms_nothing(
        self, bench: FakeBench, broken: str
    ) -> None:
        """A web page is no verdict on any row. The 204 of these calls has no body to cut."""
        super().test_an_answer_that_proves_nothing_confirms_nothing(bench, broken)
