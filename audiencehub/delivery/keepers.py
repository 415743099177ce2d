"""Keepers: of what was sent of a member, what nobody else is believed to be on the list with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from audiencehub.delivery.shared import Pair, joined, pairs
from audiencehub.ledger import Ledger


class Keepers:
    """Who is on one list with which identifiers, as the ledger has it.

    The list is read when first asked for, and again when an identifier has no keeper, who may have
    come since; a keeper is looked up in the ledger each time, for it may have gone since.
    """

    def __init__(self, ledger: Ledger, target: str) -> None:
        self._ledger, self._target = ledger, target
        self._members: Mapping[Pair, list[str]] | None = None

    def without(self, member: str, going: Mapping[str, str]) -> dict[str, str]:
        """What was sent of the member, does not go now, and has no other keeper."""
        stays = self._sent(member) - set(pairs(going))
        if not stays:
            return {}
        if self._members is not None:
            stays = self._unkept(stays, self._members, member)
        if stays:
            self._members = self._read()
            stays = self._unkept(stays, self._members, member)
        return joined(stays)

    def _unkept(
        self, stays: Collection[Pair], members: Mapping[Pair, list[str]], member: str
    ) -> set[Pair]:
        return {pair for pair in stays if not self._kept(pair, members.get(pair, []), member)}

    def _kept(self, pair: Pair, members: list[str], leaving: str) -> bool:
        """Whether one of these is there with it; who is not is struck off, and not asked again."""
        while members:
            if members[-1] != leaving and self._keeps(members[-1], pair):
                return True
            members.pop()
        return False

    def _keeps(self, member: str, pair: Pair) -> bool:
        believed = self._ledger.delivery.believed(self._target, [member])
        return bool(believed) and pair in self._sent(member)

    def _read(self) -> Mapping[Pair, list[str]]:
        delivery, found = self._ledger.delivery, defaultdict[Pair, list[str]](list)
        tokens = delivery.identifiers(self._target, sorted(delivery.believed(self._target)))
        for member, token in tokens.items():
            for pair in pairs(self._ledger.sealing.open(token)):
                found[pair].append(member)
        return found

    def _sent(self, member: str) -> set[Pair]:
        token = self._ledger.delivery.identifiers(self._target, [member]).get(member)
        return set() if token is None else set(pairs(self._ledger.sealing.open(token)))
